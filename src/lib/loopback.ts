import { isIP } from 'node:net';

/** Whether only this machine reaches a server that listens on this host: a name, or an address without brackets. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
