/** What keys do while a statement is typed, for `.help`. */
export const SHELL_KEYS: readonly (readonly [key: string, meaning: string])[] = [
  ['Enter', 'Runs what ends in a semicolon, and breaks the line before that; Alt-Enter always breaks it'],
  ['Tab, Shift-Tab', 'Complete the word; again: choose among the candidates; Esc takes it back'],
  ['Up, Down', 'Move by lines, then through the history; Alt-Up and Alt-Down through the history at once'],
  ['Ctrl-R, Ctrl-S', 'Search the history, older and newer; Enter runs, Esc keeps to edit, Ctrl-G drops'],
  ['Ctrl-A, Ctrl-E', 'Start and end of the line, as Home and End; Alt-< and Alt-> of the whole text'],
  ['Alt-B, Alt-F', 'A word back and forward, as Ctrl-Left and Ctrl-Right'],
  ['Ctrl-K, Ctrl-U', 'Delete to the end and to the start of the line; Ctrl-W, Alt-D: a word'],
  ['Ctrl-Y, Ctrl-_', 'Put back what these deleted; undo'],
  ['Ctrl-L', 'Clear the screen'],
  ['Ctrl-C', 'Stop the running statement, or drop what was typed'],
  ['Ctrl-D', 'Leave, where nothing is typed'],
];
