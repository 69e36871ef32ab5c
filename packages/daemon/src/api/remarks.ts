import { errorBody } from '@origami/protocol/control'

const otherwise = [
  'A path or a body that cannot be read (400, 408, 413, 414, 415, 431)',
  'what does not fit (422)',
  'too many bodies at once (503)',
  'our mistake (500)',
].join(', ')

/** What the daemon's OpenAPI document says about each endpoint in addition to its row. */
export const remarksOn = () => ({ answers: { default: { what: otherwise, body: errorBody } } })
