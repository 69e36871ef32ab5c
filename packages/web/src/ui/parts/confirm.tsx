import { useId, useRef } from 'react'
import styles from './parts.module.css'

/** A button for what cannot be undone, which asks first. Esc or Keep cancels. */
export function ConfirmButton({
  label,
  question,
  detail,
  onConfirm,
}: {
  label: string
  question: string
  detail: string
  onConfirm: () => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const title = useId()
  return (
    <>
      <button type="button" className={styles.button} onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} className={styles.dialog} aria-labelledby={title}>
        <form method="dialog" className={styles.stack}>
          <h2 id={title}>{question}</h2>
          <p>{detail}</p>
          <div className={styles.row}>
            <button type="submit" className={styles.button}>
              Keep
            </button>
            <button type="submit" className={styles.button} data-primary="true" onClick={onConfirm}>
              {label}
            </button>
          </div>
        </form>
      </dialog>
    </>
  )
}
