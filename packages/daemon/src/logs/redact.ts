const tokens =
  /\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|ori_[A-Za-z0-9_-]{16,})/g
// The length of the scheme has a limit, because otherwise a long line of letters and dots would be searched again from
// each of them.
const userinfo = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]+@/gi

/** Replaces what looks like a token in a line. */
export const redact = (line: string): string => {
  const tokenless = line.replaceAll(tokens, '[token]')
  // Most lines contain no URL, and the search for one costs more than everything else that is done with a line.
  return tokenless.includes('://') ? tokenless.replaceAll(userinfo, '$1[token]@') : tokenless
}
