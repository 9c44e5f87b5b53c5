import { Text, useCursor, useStdout } from 'ink';
import { useLayoutEffect } from 'react';
import type { Frame } from './frame.js';

export interface PromptProps {
  readonly frame: Frame;
  /** Receives Ink's way to print above what is drawn live. */
  readonly onReady: (write: (text: string) => void) => void;
}

/** The frame as one text: its rows are cut to the window already, so Ink has nothing to measure or wrap. */
export function Prompt({ frame, onReady }: PromptProps) {
  const { write } = useStdout();
  const { setCursorPosition } = useCursor();
  useLayoutEffect(() => onReady(write), [write, onReady]);
  setCursorPosition(frame.cursor);
  return <Text>{frame.rows.join('\n')}</Text>;
}
