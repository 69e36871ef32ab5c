import { useEffect, useRef, useState } from 'react'
import styles from './components.module.css'
import type { InputProps, OutputProps, ViewOf } from './view.ts'

const written = (value: unknown) => (value === null || value === undefined ? '' : JSON.stringify(value, null, 2))

function Input({ id, described, invalid, value, onChange }: InputProps) {
  const [text, setText] = useState(written(value))
  const [wrong, setWrong] = useState<string>()
  const area = useRef<HTMLTextAreaElement>(null)
  useEffect(() => area.current?.setCustomValidity(wrong ?? ''), [wrong])
  useEffect(() => {
    setText((before) => (same(before, value) ? before : written(value)))
    setWrong(undefined)
  }, [value])
  const change = (next: string) => {
    setText(next)
    try {
      onChange(next.trim() === '' ? null : JSON.parse(next))
      setWrong(undefined)
    } catch (error) {
      setWrong(error instanceof Error ? error.message : 'not JSON')
    }
  }
  return (
    <>
      <textarea
        ref={area}
        id={id}
        className={`${styles.field} ${styles.mono}`}
        rows={6}
        spellCheck={false}
        aria-describedby={described}
        aria-invalid={invalid || wrong !== undefined}
        value={text}
        onChange={({ target }) => change(target.value)}
      />
      {wrong && <span role="alert">Not JSON yet: {wrong}</span>}
    </>
  )
}

function same(text: string, value: unknown): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === JSON.stringify(value)
  } catch {
    // The text is not JSON yet.
    return false
  }
}

const Output = ({ value }: OutputProps) => <pre className={styles.json}>{written(value) || 'null'}</pre>

export const json: ViewOf<'json'> = { Input, Output }
