// hx with work behind it that nothing ends, as a request of a library to a silent server. Says when it listens.
import { main } from '../../src/cli/main.js';

setInterval(() => {}, 1_000);
const running = main(process);
process.send?.('listening');
process.exitCode = await running;
