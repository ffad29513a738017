/* What systemd wants to be told (sd_notify's protocol: datagrams to the socket that NOTIFY_SOCKET names). */
#ifndef FIRTH_SUPERVISOR_NOTIFY_H
#define FIRTH_SUPERVISOR_NOTIFY_H

/* "READY=1", "STOPPING=1", "RELOADING=1\nMONOTONIC_USEC=…", "STATUS=…". `socket`: NOTIFY_SOCKET's value; NULL
 * or empty: nobody wants to know. Nothing that goes wrong here is worth an error. */
void notify_tell(const char *socket, const char *text);

#endif
