#!/usr/bin/env -S invivo run
/*
 * The connections that a worker of nginx has open: descriptor, client, requests so far, bytes sent; and how many slots
 * are left. A look into its memory, which it does not notice; nothing is traced.
 *
 * Usage: invivo run examples/nginx-connections.d --types TYPES -p WORKER
 *
 *   fd  12  127.0.0.1            3 requests        540 bytes sent
 *   fd  15  127.0.0.1            1 requests        180 bytes sent
 *   2 clients; 58 of 64 connections are free
 */
#pragma D option quiet

dump
{
	for (this->i = 0; this->i < `ngx_cycle->connection_n; this->i++) {
		this->c = &`ngx_cycle->connections[this->i];
		if (this->c->fd < 0 || this->c->addr_text.len == 0)
			continue;
		this->clients++;
		printf("fd %3d  %-15s %6d requests %10d bytes sent\n", this->c->fd,
		    stringof(this->c->addr_text.data, this->c->addr_text.len), this->c->requests, this->c->sent);
	}
	printf("%d clients; %d of %d connections are free\n", this->clients, `ngx_cycle->free_connection_n,
	    `ngx_cycle->connection_n);
}
