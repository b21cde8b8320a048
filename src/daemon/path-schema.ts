/** Checks a path that came as JSON. */
import { z } from 'zod';
import type { PathText } from './path-text.ts';

const pathMaximumCharacters = 8_192;

export const pathSchema: z.ZodType<PathText> = z.union([
  z
    .string()
    .min(1)
    .max(pathMaximumCharacters)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'a path'),
  z.strictObject({ base64: z.base64().min(1).max(pathMaximumCharacters) }),
]);
