/**
 * The ways in and out of the local runtime without Miniflare's own workers, which stand before and behind every
 * Worker here and nowhere else: as much of the processor as a request to a model, and 43 kB of each connection. What
 * they add for development (pages for errors, compression, image transforms) nothing here asks for.
 */
import { getCACertificates } from 'node:tls';

export const LOCAL_HOST = '127.0.0.1';

/** For `unsafeDirectSockets`: requests to this port reach the Worker as they are. 0 takes a free port. */
export function directSocket(port: number): { host: string; port: number } {
  return { host: LOCAL_HOST, port };
}

/** For a service binding: it reaches what a Worker's own `fetch` would in the end. */
export const EGRESS = {
  network: {
    allow: ['public', 'private'],
    // The runtime itself finds those of the system, which may have none.
    tlsOptions: { trustBrowserCas: true, trustedCertificates: getCACertificates('default') },
  },
};
