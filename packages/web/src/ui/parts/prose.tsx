import { Fragment } from 'react'

/** A sentence in which text between backticks is shown as code. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name, and never move
    return index % 2 === 0 ? <Fragment key={index}>{part}</Fragment> : <code key={index}>{part}</code>
  })
}
