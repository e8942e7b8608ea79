import { ContentProblem } from '../../lib/content-problem.ts';
import { isRecord } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { FileContent } from '../extractor.ts';
import { textOf } from '../file-content.ts';

/**
 * A file that is one JSON object. What a few bytes of JSON make of memory is bounded by its size, and its depth is
 * looked at before it is parsed. @throws ContentProblem
 */
export function jsonObjectOf(content: FileContent): Readonly<Record<string, unknown>> {
  const value = jsonOf(content);
  if (isRecord(value)) return value;
  throw new ContentProblem('it is no JSON object');
}

/** @throws ContentProblem */
export function jsonOf(content: FileContent): unknown {
  const { extractJsonBytesMax: bytesMax, extractJsonDepthMax: depthMax } = limits;
  if (content.sizeBytes > bytesMax)
    throw new ContentProblem(`${content.sizeBytes} bytes of JSON; at most ${bytesMax} are read`);
  const text = textOf(content);
  if (depthOf(text) > depthMax) throw new ContentProblem(`JSON that is more than ${depthMax} deep`);
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch {
    throw new ContentProblem('it is no JSON');
  }
}

const [quote, backslash, open, close] = ['"', '\\', '[{', ']}'];

/** How deep its lists and objects are nested; of what is no JSON, some number. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (inString) {
      if (character === backslash) at += 1;
      else if (character === quote) inString = false;
    } else if (character === quote) inString = true;
    else if (close.includes(character)) depth -= 1;
    else if (open.includes(character)) {
      depth += 1;
      deepest = Math.max(deepest, depth);
    }
  }
  return deepest;
}
