import { styleText } from 'node:util';

export type Format = Parameters<typeof styleText>[0];

/** Paints text, or leaves it alone where colour is off. */
export type Paint = (format: Format, text: string) => string;

export const plain: Paint = (_format, text) => text;

export const coloured: Paint = (format, text) => styleText(format, text);
