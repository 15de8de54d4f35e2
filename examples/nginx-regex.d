#!/usr/bin/env -S invivo run
/*
 * Regular expressions that nginx compiles, by who asks for it.
 *
 * Usage: invivo run examples/nginx-regex.d
 *
 *   nginx`ngx_regex_compile
 *   nginx`ngx_http_regex_compile+0x1d
 *   nginx`ngx_conf_parse+0x8f1
 *   ...
 *     3
 */
uprobe:nginx:ngx_regex_compile:entry
{
	@[ustack(5)] = count();
}
