const tokens = /\b(gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|ori_[A-Za-z0-9_-]{16,})/g
const userinfo = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi

/** A line without what looks like a token. */
export const redact = (line: string): string => line.replaceAll(tokens, '[token]').replaceAll(userinfo, '$1[token]@')
