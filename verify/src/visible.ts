/**
 * Texts of an extract as a reader may safely see them: characters that show nothing, or turn the order of others round
 * (control characters, Unicode bidirectional controls, zero width characters, tags), are spelt as their code points. The
 * list is closed, so that every reader of it, whatever its Unicode version, spells the same.
 */
const hidden =
  /[\p{Cc}\u00ad\u061c\u115f\u1160\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** `[U+202E]` for what would not be seen; a space for a tab and for the end of a line. */
export function visible(text: string): string {
  return text
    .replace(/[\t\n\r]/g, ' ')
    .replace(
      hidden,
      (character) => `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}
