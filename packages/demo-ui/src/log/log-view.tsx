import { memo, useEffect, useMemo, useRef } from 'react'
import { type Span, terminalLines } from './ansi.ts'
import styles from './log-view.module.css'

/** The content of a log: a text with line ends, or a list of lines. */
export type LogViewProps = {
  /** Keeps the end in view unless the reader has scrolled up. */
  follow?: boolean
  /** The name for screen readers. */
  label?: string
} & ({ text: string; lines?: never } | { lines: readonly string[]; text?: never })

const chunk = 200

/** The text of a terminal, with its colours. HTML in it is shown as text. */
export function LogView({ text, lines, follow = false, label = 'Log' }: LogViewProps) {
  const all = text ?? lines.join('\n')
  const parts = useMemo(() => chunksOf(all), [all])
  const place = useRef<HTMLElement>(null)
  const atEnd = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: more text is what moves the end
  useEffect(() => {
    if (follow && atEnd.current && place.current) place.current.scrollTop = place.current.scrollHeight
  }, [all, follow])
  return (
    <section
      ref={place}
      className={styles.log}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        atEnd.current = scrollHeight - scrollTop - clientHeight < 24
      }}
    >
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: text only grows at its end
        <Chunk key={index} text={part} />
      ))}
    </section>
  )
}

/** Splits the text into blocks of lines, so that earlier blocks are not drawn again. */
function chunksOf(text: string): readonly string[] {
  const lines = text.replace(/\n$/, '').split('\n')
  return Array.from({ length: Math.ceil(lines.length / chunk) }, (_, index) =>
    lines.slice(index * chunk, (index + 1) * chunk).join('\n'),
  )
}

const Chunk = memo(({ text }: { text: string }) => (
  <pre className={styles.chunk}>
    {terminalLines(text).map((spans, index) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a line is known by its place
      <span key={index}>
        {spans.map(coloured)}
        {'\n'}
      </span>
    ))}
  </pre>
))

function coloured({ text, colour, bold, faint }: Span, index: number) {
  if (colour === undefined && !bold && !faint) return text
  const style = colour === undefined ? undefined : { color: `var(--ori-ansi-${colour})` }
  return (
    <span key={index} style={style} data-bold={bold} data-faint={faint}>
      {text}
    </span>
  )
}
