/** What keys do while a statement is typed, for `.help`. */
export const SHELL_KEYS: readonly (readonly [key: string, meaning: string])[] = [
  ['Enter', 'Run what ends in a semicolon; Alt-Enter always breaks the line'],
  ['Tab, Shift-Tab', 'Complete the word, then choose among candidates; Esc: back'],
  ['Up, Down', 'Move by lines, then through the history (Alt-Up: at once)'],
  ['Ctrl-R, Ctrl-S', 'Search the history: Enter runs, Esc edits, Ctrl-G drops'],
  ['Ctrl-A, Ctrl-E', 'Start and end of the line; Alt-<, Alt->: of the whole text'],
  ['Alt-B, Alt-F', 'A word back and forward, as Ctrl-Left and Ctrl-Right'],
  ['Ctrl-K, Ctrl-U', "Delete to the line's end or start; Ctrl-W, Alt-D: a word"],
  ['Ctrl-Y', 'Put back what these deleted'],
  ['Ctrl-_, Alt-_', 'Undo, redo'],
  ['Ctrl-L', 'Clear the screen'],
  ['Ctrl-C', 'Stop the running statement, or drop what was typed'],
  ['Ctrl-Z', 'Go back to the shell that started this one; fg returns'],
  ['Ctrl-D', 'Leave, where nothing is typed'],
];
