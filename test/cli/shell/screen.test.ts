import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inShell, Pty } from './pty.js';

const test = suite('screen of the shell');

const SIZES = [
  [60, 30],
  [33, 30],
  [90, 20],
  [41, 25],
  [100, 30],
] as const;

test('the pager scrolls both ways, shows records whole, finds, and gives the screen back', async () => {
  await inShell({}, async (pty) => {
    const columns = Array.from(
      { length: 30 },
      (_, column) => `'value ${column} of ' || i as column_${column}`,
    );
    pty.line(`select i, ${columns.join(', ')} from range(5000) r(i);`);
    await pty.sees(/^ +i {2}column_0 .*\n─+[\s\S]*row 1 of 5,000 rows {2}columns 1-\d+ of 31 ›/m);
    assert.not.match(pty.tmux('capture-pane', '-p', '-t', 's'), /hx>/);
    pty.key('Right', 'Right');
    await pty.sees(/^column_1 .*\n[\s\S]*‹ columns 3-\d+ of 31 ›/m);
    pty.key('Down', 'PageDown');
    await pty.sees(/row 29 of 5,000/);
    pty.type('G$');
    await pty.sees(
      /^.*column_29\n[\s\S]*value 29 of 4999\nrow 5,000 of 5,000 rows {2}‹ columns \d+-31 of 31 {2}/m,
    );
    pty.type('g0/of 123');
    pty.key('Enter');
    await pty.sees(/row 124 of 5,000/);
    pty.type('n');
    await pty.sees(/row 1,231 of 5,000/);
    pty.type('/nowhere');
    pty.key('Enter');
    await pty.sees(/"nowhere" is not found below/);
    pty.key('Enter');
    await pty.sees(/^i +1230\ncolumn_0 +value 0 of 1230$[\s\S]*record 1231 of 5,000/m);
    pty.key('Right', 'PageDown');
    await pty.sees(/^column_29 +value 29 of 1231$[\s\S]*record 1232 of 5,000/m);
    await pty.resize(60, 12);
    await pty.sees(/record 1232 of 5,000/);
    pty.type('qq');
    await pty.sees(/5,000 rows, 31 columns, shown in the\s+pager\nhx>$/);
  });
});

test('a small result is printed, .pager decides otherwise, and a slow one can be left', async () => {
  await inShell({}, async (pty) => {
    pty.line('from range(20);');
    await pty.sees(/^ {3}19\n20 rows\nhx>$/m);
    pty.line('.pager off');
    pty.line('from range(1000);');
    await pty.sees(/^ {2}199\n1,000 rows, the first 200 shown\..*\nhx>$/m);
    pty.line('.pager always');
    pty.line("select 'alone' as t;");
    await pty.sees(/row 1 of 1 rows/);
    pty.key('Escape');
    await pty.sees(/^alone\n1 row, 1 column, shown in the pager\nhx>$/m);
    pty.line('select i from range(100000000000) r(i) where hash(i) % 500 = 0;');
    await pty.sees(/row 1 of [\d,]+ rows so far|row 1 of more than/);
    pty.key('C-c');
    await pty.sees(/shown in the pager\nhx>$/);
    pty.line('.pager auto');
    pty.line("select 'alive' as t;");
    await pty.sees(/^alive\n1 row\nhx>$/m);
  });
});

test('narrowing and widening the window while a long line is edited leaves nothing behind', async () => {
  await inShell({}, async (pty) => {
    // What a narrowed window pushes above its top edge nobody can take back: so there has to be something above.
    pty.line('.pager off');
    pty.line("select '-' as t from range(40);");
    await pty.sees(/40 rows\nhx>$/);
    const words = Array.from({ length: 60 }, (_, index) => `w${index}`).join(' ');
    const once = (screen: string) => screen.match(/hx> select 'w/g)?.length === 1;
    pty.type(`select '${words}' as t`);
    await pty.sees(/w59' as t$/);
    for (const [columns, rows] of SIZES) {
      await pty.resize(columns, rows);
      await pty.shows((screen) => {
        // Spaces at the end of a row do not show, so they do not count.
        const text = screen.slice(screen.indexOf("hx> select 'w")).replace(/\s/g, '');
        return once(screen) && text === `hx> select '${words}' as t`.replaceAll(' ', '');
      });
    }
    pty.key('Home');
    await pty.shows(() => pty.cursor().startsWith('4,'));
    await pty.resize(50, 30);
    await pty.shows((screen) => once(screen) && /w59' as t$/.test(screen));
    pty.key('C-c');
    await pty.sees(/\^C\nhx>$/);
    pty.line("select 'after' as t;");
    await pty.sees(/^after\n1 row\nhx>$/m);
  });
});

test('a statement longer than the window stays editable, and Ctrl-L clears the screen', async () => {
  await inShell({}, async (pty) => {
    pty.paste(Array.from({ length: 40 }, (_, line) => `-- line ${line}`).join('\n'));
    await pty.sees(/-- line 39\nline 40 of 40$/);
    assert.not.match(pty.screen(), /-- line 20\n/);
    for (let line = 0; line < 3; line += 1) pty.key('PageUp');
    await pty.sees(/\nline 10 of 40$/);
    pty.key('C-l');
    await pty.shows(() => /^\.\.> /.test(pty.tmux('capture-pane', '-p', '-t', 's')));
    await pty.sees(/\nline 10 of 40$/);
    pty.key('C-c');
    await pty.sees(/-- line 39\^C\nhx>$/);
  });
});

test('a terminal that does not say its size is taken for one of 80 by 24', async () => {
  const pty = new Pty({ first: 'stty cols 0 rows 0' });
  try {
    await pty.sees(/hx>$/);
    pty.line(`select '${'x'.repeat(90)}' as t;`);
    await pty.sees(/^x{79}…\n1 row; long cells cut to fit\./m);
    pty.line('from range(21);');
    await pty.sees(/^ {3}20$\nrow 1 of 21 rows/m);
    pty.type('q');
    await pty.sees(/21 rows, 1 column, shown in the pager\nhx>$/);
  } finally {
    pty.close();
  }
});

test.run();
