import { Refusal } from '@origami/protocol/client'
import { type ClipboardEvent, type DragEvent, useState } from 'react'
import styles from './components.module.css'
import type { InputProps } from './view.ts'

/** A place to choose, drop or paste a file. It shows the progress of the upload, and why one failed. */
export function Upload({
  id,
  described,
  invalid,
  value,
  onChange,
  demo,
  label,
  accept,
  preview,
}: InputProps & { accept?: string | undefined; preview: boolean }) {
  const [progress, setProgress] = useState<number>()
  const [problem, setProblem] = useState<string>()
  const send = async (file: File | undefined | null) => {
    if (!file) return
    setProblem(undefined)
    setProgress(0)
    try {
      onChange(await demo.upload(file, file.name || 'pasted.png', setProgress))
    } catch (error) {
      setProblem(error instanceof Refusal ? error.message : 'The server did not answer; try again.')
    } finally {
      setProgress(undefined)
    }
  }
  const dropped = (event: DragEvent) => {
    event.preventDefault()
    void send(event.dataTransfer.files[0])
  }
  const pasted = (event: ClipboardEvent) => void send(event.clipboardData.files[0])
  const has = typeof value === 'string'
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping and pasting come besides the button inside
    <div className={styles.drop} onDragOver={(event) => event.preventDefault()} onDrop={dropped} onPaste={pasted}>
      {has && preview && <img className={styles.picture} src={demo.address(value)} alt={label} />}
      {has && !preview && <span className={styles.file}>{fileNameOf(value)}</span>}
      <div className={styles.row}>
        <input
          id={id}
          type="file"
          className={styles.chooser}
          accept={accept}
          aria-describedby={described}
          aria-invalid={invalid}
          onChange={({ target }) => void send(target.files?.[0])}
        />
        {has && (
          <button type="button" className={styles.small} onClick={() => onChange(null)}>
            Remove
          </button>
        )}
      </div>
      {!has && <span className={styles.hint}>or drop or paste it here</span>}
      {progress !== undefined && (
        <progress className={styles.upload} value={progress} aria-label={`Sending ${label}`} />
      )}
      {problem && <span role="alert">{problem}</span>}
    </div>
  )
}

/** The file's name at the end of a reference. */
export function fileNameOf(ref: string): string {
  if (ref.startsWith('data:')) return 'from the example'
  try {
    return decodeURIComponent(ref.split('/').at(-1) ?? ref)
  } catch {
    // The name is not encoded correctly, so it is shown as it is.
    return ref
  }
}
