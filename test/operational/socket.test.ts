import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ServerSocket } from '../../src/operational/socket.js';

const test = suite('socket');

/** PostgreSQL 17 documentation, 53.7: ErrorResponse with its severity, twice, and its message. */
function errorResponse(severity: string, message: string): Buffer {
  const fields = Buffer.from(`S${severity}\0V${severity}\0M${message}\0\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(fields.length + 4);
  return Buffer.concat([Buffer.from('E'), length, fields]);
}

/** What a connection is lost of when the server answers `answer` to the first bytes and then acts by `end`. */
async function lossAfter(answer: Buffer, end: (peer: Socket) => void): Promise<string> {
  const peers: Socket[] = [];
  const server = createServer((peer) => {
    peers.push(peer);
    peer.on('error', () => undefined);
    peer.once('data', () => peer.write(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = new ServerSocket({ host: '127.0.0.1', port, tls: false });
  const lost = once(socket, 'close');
  const reason = new Promise<string>((resolve) => socket.on('error', ({ message }) => resolve(message)));
  try {
    socket.write('Q');
    await once(socket, 'data');
    socket.write('Q');
    for (const peer of peers) end(peer);
    return await Promise.race([reason, lost.then(() => 'nothing')]);
  } finally {
    socket.destroy();
    server.close();
  }
}

const reset = (peer: Socket) => peer.resetAndDestroy();
const hangUp = (peer: Socket) => peer.destroySoon();

test('why a server ended a connection is told, whether it hangs up or its end becomes a reset', async () => {
  const words = 'terminating connection due to administrator command';
  for (const end of [reset, hangUp]) {
    const loss = await lossAfter(errorResponse('FATAL', words), end);
    assert.is(loss, `the server ended the connection: ${words}`);
  }
});

test('an error of an earlier statement is not why a connection was lost', async () => {
  const ready = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
  const answer = Buffer.concat([errorResponse('ERROR', 'division by zero'), ready]);
  assert.is(await lossAfter(answer, hangUp), 'the server ended the connection');
  assert.match(await lossAfter(answer, reset), /ECONNRESET/);
});

test('the state of the transaction is told with every answer, however its bytes are cut, and that one was lost', async () => {
  const ready = (state: string) => Buffer.from(`Z\0\0\0\x05${state}`);
  const server = createServer(async (peer) => {
    peer.on('error', () => undefined);
    for (const piece of [
      ready('I'),
      ready('T').subarray(0, 2),
      ready('T').subarray(2, 5),
      Buffer.from('T'),
    ]) {
      peer.write(piece);
      await setTimeout(20);
    }
    peer.write(Buffer.concat([ready('T'), ready('E')]));
    peer.destroySoon();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const told: string[] = [];
  const socket = new ServerSocket(
    { host: '127.0.0.1', port, tls: false },
    { onTransaction: (state) => told.push(state), onTransactionLost: () => told.push('lost') },
  );
  socket.resume();
  await once(socket, 'close');
  server.close();
  assert.equal(told, ['none', 'open', 'failed', 'lost']);
});

test.run();
