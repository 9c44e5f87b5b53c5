import { connect, createServer, type Server, type Socket } from 'node:net';

/** When the migrator dies: before its message reaches the server, or before the server's answer reaches it. */
export type KillMoment = 'sent' | 'answered';

/** Stands between a migrator and its server, counts what the migrator sends and strikes at one of these messages. */
export class KillProxy {
  /** Messages that the migrator sent so far. */
  sent = 0;
  private readonly server: Server;

  private constructor(server: Server) {
    this.server = server;
  }

  /**
   * @param url of the server.
   * @param strikeAt the message, from 1, at which `strike` is called; none for 0.
   */
  static async start(
    url: string,
    strikeAt: number,
    moment: KillMoment,
    strike: () => void,
  ): Promise<{ proxy: KillProxy; url: string }> {
    const target = new URL(url);
    const { hostname: host, port } = target;
    const server = createServer((client) => {
      const upstream = connect({ host, port: Number(port) });
      let struck = false;
      const end = () => {
        client.destroy();
        upstream.destroy();
      };
      const hit = () => {
        struck = true;
        strike();
        end();
      };
      client.on('data', (data: Buffer) => {
        proxy.sent += 1;
        if (proxy.sent === strikeAt && moment === 'sent') hit();
        else upstream.write(data);
      });
      upstream.on('data', (data: Buffer) => {
        if (struck) return;
        if (strikeAt > 0 && proxy.sent >= strikeAt) hit();
        else client.write(data);
      });
      for (const socket of [client, upstream] satisfies Socket[]) {
        socket.on('error', end);
        socket.on('close', end);
      }
    });
    const proxy = new KillProxy(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port');
    target.port = String(address.port);
    return { proxy, url: target.toString() };
  }

  stop(): Promise<unknown> {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
