/**
 * Signs that an answer rests on a source instead of on the model's own belief. Patterns stay short-ranged
 * (bounded repeats), so that no text takes more than linear time.
 */
const SIGNS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'a URL', pattern: /\b[a-z][a-z0-9+.-]{1,15}:\/\/\S/i },
  { what: 'a URL', pattern: /\bwww\.[a-z0-9-]{1,63}\.[a-z]/i },
  { what: 'a link', pattern: /\[[^\][\n]{1,200}\]\([^()\s]{0,500}[./#][^()\s]{0,500}\)/ },
  { what: 'a DOI', pattern: /\bdoi\s{0,3}:\s{0,3}10\.|\b10\.\d{4,9}\/[a-z0-9]/i },
  { what: 'a citation', pattern: /\b(?:arxiv|pmid|pmcid|isbn)\s{0,3}:?\s{0,3}[a-z-]{0,10}[/.]?\d{4}/i },
  { what: 'a citation', pattern: /\bet al\b\.?,?\s{0,3}[([]?(?:1[6-9]|20)\d\d\b/i },
  // `[0, 1]` is an interval and `[2019]` a year; `[3]`, `[1, 2, 3]` and `[4]-[6]` are references.
  { what: 'a reference mark', pattern: /\[[1-9]\d{0,2}\]|\[[1-9]\d{0,2}(?:, ?[1-9]\d{0,2}){2,20}\]/ },
  {
    what: 'a list of references',
    pattern: /^[ \t>*#-]{0,10}(?:sources?|references|works cited|bibliography)\*{0,2}:\*{0,2}\s{0,3}\S/im,
  },
];

/**
 * A host name without a scheme. Common endings only, in lower case: `end.It` and `Node.js` are no domains, and
 * two-letter endings count only under a second level (`ac.uk`) or in front of a path.
 */
const BARE_DOMAIN =
  /\b(?:[a-z0-9-]{1,63}\.){1,5}(?:(?:com|org|net|edu|gov|mil|int|info|biz|wiki|news)\b(?!\.\w)|(?:co|ac|gov|org|com)\.[a-z]{2}\b|[a-z]{2}\/[a-z0-9])/gi;

const DOMAIN_ENDING = /\.(?:[a-z]{2,4})(?:\/[a-z0-9])?$/;

/** Names of software that look like domains. */
const NOT_A_DOMAIN = /^(?:asp|ado|vb|ml|paint)\.net$/i;

/** What in a text shows a source, in words (`a URL`, `a DOI`); null when nothing does. */
export function findCitation(text: string): string | null {
  for (const { what, pattern } of SIGNS) if (pattern.test(text)) return what;
  for (const [domain] of text.matchAll(BARE_DOMAIN)) {
    if (DOMAIN_ENDING.test(domain) && !NOT_A_DOMAIN.test(domain)) return 'a web address';
  }
  return null;
}
