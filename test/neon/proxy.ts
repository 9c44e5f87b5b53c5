import { connect, createServer, type Server, type Socket } from 'node:net';
import { findFreePort } from '../../src/operational/server/ports.js';

/**
 * What a new connection meets: `refuse` has nobody listening, `hang-up` accepts and closes, `silent` accepts and
 * says nothing, `pass` leads to the server.
 */
export type ProxyMode = 'pass' | 'refuse' | 'hang-up' | 'silent';

/** Stands between a client and a server, and can misbehave as a network does. */
export class FlakyProxy {
  /** Connections that were accepted so far. */
  accepted = 0;
  readonly port: number;
  private readonly server: Server;
  private readonly target: number;
  private mode: ProxyMode = 'refuse';
  private readonly sockets = new Set<Socket>();

  private constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
    this.server = createServer((client) => this.accept(client));
    // A test that failed half-way leaves it behind, which must not keep the process.
    this.server.unref();
  }

  /** @param target port of the server on this machine. */
  static async start(target: number, mode: ProxyMode): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(await findFreePort(), target);
    await proxy.become(mode);
    return proxy;
  }

  /** Changes how new connections are met; those that exist stay. */
  async become(mode: ProxyMode): Promise<void> {
    const { server, port } = this;
    this.mode = mode;
    if (mode === 'refuse') await new Promise<unknown>((resolve) => server.close(resolve));
    else if (!server.listening) {
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    }
  }

  /** From now on nothing goes through existing connections, and new ones are met with silence. */
  async fallSilent(): Promise<void> {
    for (const socket of this.sockets) socket.unpipe().pause();
    await this.become('silent');
  }

  /** Breaks existing connections off without a goodbye. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await this.become('refuse');
  }

  private accept(client: Socket): void {
    this.accepted += 1;
    this.keep(client);
    if (this.mode === 'hang-up') client.end();
    if (this.mode !== 'pass') return;
    const server = connect({ host: '127.0.0.1', port: this.target });
    this.keep(server);
    client.pipe(server).pipe(client);
  }

  private keep(socket: Socket): void {
    this.sockets.add(socket.unref());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }
}
