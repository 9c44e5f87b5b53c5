import { Box, Text, useCursor, useStdout } from 'ink';
import { useEffect } from 'react';
import type { Paint } from '../render/style.js';
import type { Layout } from './layout.js';

/** What is drawn live: the statement being typed, or one line about the running one. */
export type View =
  | { readonly type: 'editing'; readonly layout: Layout }
  | { readonly type: 'running'; readonly status: string }
  | { readonly type: 'closed' };

export interface PromptProps {
  readonly view: View;
  readonly paint: Paint;
  /** Receives Ink's way to print above what is drawn live. */
  readonly onReady: (write: (text: string) => void) => void;
}

export function Prompt({ view, paint, onReady }: PromptProps) {
  const { write } = useStdout();
  const { setCursorPosition } = useCursor();
  useEffect(() => onReady(write), [write, onReady]);
  if (view.type !== 'editing') setCursorPosition(undefined);
  if (view.type === 'closed') return null;
  if (view.type === 'running') {
    return <Text wrap="truncate">{view.status === '' ? ' ' : paint('dim', view.status)}</Text>;
  }
  const { rows, x, y } = view.layout;
  setCursorPosition({ x, y });
  return (
    <Box flexDirection="column">
      {rows.map(({ prompt, text }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its position
        <Text key={index} wrap="truncate">
          {paint('cyan', prompt) + text}
        </Text>
      ))}
    </Box>
  );
}
