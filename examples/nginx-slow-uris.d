#!/usr/bin/env -S invivo run
/*
 * Requests of nginx that take at least so many milliseconds: how long, which worker, what was asked for.
 *
 * Usage: invivo run examples/nginx-slow-uris.d MILLISECONDS --types TYPES
 *
 * Nothing is printed until there is one. TYPES is a file with nginx's types, if nginx is stripped: see the guide on
 * servers.
 *
 *    241 ms  worker 10244  GET /slow/page
 */
#pragma D option quiet

uprobe:nginx:ngx_http_process_request:entry
{
	started[arg0] = timestamp;
}

uprobe:nginx:ngx_http_free_request:entry
/started[arg0] && timestamp - started[arg0] >= $1 * 1000000/
{
	this->r = (ngx_http_request_t *)arg0;
	printf("%6d ms  worker %d  %s %s\n", (timestamp - started[arg0]) / 1000000, pid,
	    stringof(this->r->method_name.data, this->r->method_name.len), stringof(this->r->uri.data, this->r->uri.len));
}

uprobe:nginx:ngx_http_free_request:entry
{
	started[arg0] = 0;
}
