// Names of the bench's endpoints. A resolver should know that every name under `localhost` is this machine, but
// glibc's does not, so this process learns it here; a process of its own loads this file with `--import`.
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';

const DOMAIN = 'neon.localhost';
/** Neon serves both endpoints at one port, so the two need addresses of their own; macOS has no second in IPv4. */
const DIRECT_ADDRESS = '127.0.0.1';
export const POOLED_ADDRESS = process.platform === 'linux' ? '127.0.0.2' : '::1';

export const WILDCARD = `*.${DOMAIN}`;

export function directHost(endpoint: string): string {
  return `${endpoint}.${DOMAIN}`;
}

export function pooledHost(endpoint: string): string {
  return `${endpoint}-pooler.${DOMAIN}`;
}

type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

const lookup = dns.lookup as (name: string, options: LookupOptions, callback: Callback) => void;

function lookupNeon(name: string, ...rest: [LookupOptions | number, Callback] | [Callback]): void {
  const [given, callback] = rest.length === 1 ? [{}, rest[0]] : rest;
  const options = typeof given === 'number' ? { family: given } : given;
  if (!name.endsWith(`.${DOMAIN}`)) {
    lookup(name, options, callback);
    return;
  }
  const address = /^[^.]+-pooler\./.test(name) ? POOLED_ADDRESS : DIRECT_ADDRESS;
  const family = address.includes(':') ? 6 : 4;
  process.nextTick(() => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  });
}

dns.lookup = lookupNeon as typeof dns.lookup;
