import { Strip } from '@origami/demo-ui'
import type { ElsewhereInspection } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { call } from '../api.ts'
import styles from '../parts/parts.module.css'

/** Lists a demo that already runs on somebody's own server. It is checked first. */
export function RunsElsewherePage() {
  const [url, setUrl] = useState('')
  const [asking, setAsking] = useState(false)
  const [found, setFound] = useState<ElsewhereInspection>()
  const [problem, setProblem] = useState<string>()
  const ask = async (event: FormEvent) => {
    event.preventDefault()
    setAsking(true)
    setFound(undefined)
    setProblem(undefined)
    try {
      const there = await call('POST /-/api/inspect', { body: { url } })
      if ('url' in there) setFound(there)
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'The server did not answer.')
    }
    setAsking(false)
  }
  return (
    <section className={styles.sheet} aria-label="Runs elsewhere">
      <h2>Runs elsewhere</h2>
      <p className={styles.mute}>
        A demo that runs on your own server already, such as by <code>docker run</code>: it is listed and linked,
        without a queue.
      </p>
      <form className={styles.row} onSubmit={(event) => void ask(event)}>
        <input
          className={`${styles.field} ${styles.grow}`}
          type="url"
          aria-label="Address of the demo"
          placeholder="https://demo.example.org/"
          required
          value={url}
          onChange={({ target }) => setUrl(target.value)}
        />
        <button type="submit" className={styles.button} disabled={asking}>
          {asking ? 'Asking…' : 'Ask it'}
        </button>
      </form>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      {found && <FoundThere key={found.url} found={found} />}
    </section>
  )
}

function FoundThere({ found }: { found: ElsewhereInspection }) {
  const navigate = useNavigate()
  const [isPublic, setPublic] = useState(true)
  const [sending, setSending] = useState(false)
  const [problem, setProblem] = useState<string>()
  const list = async () => {
    setSending(true)
    try {
      const page = await call('POST /-/api/demos', { body: { url: found.url, public: isPublic } })
      await navigate({ to: '/$account/$name', params: { account: page.account, name: page.name } })
    } catch (error) {
      setProblem(error instanceof Error ? error.message : 'It did not work.')
      setSending(false)
    }
  }
  return (
    <>
      <p>
        <strong>{found.title}</strong> answers there
        {found.inputs.length > 0 && <>, and takes {found.inputs.join(', ')}</>}.
      </p>
      <label className={styles.row}>
        <input type="checkbox" checked={isPublic} onChange={({ target }) => setPublic(target.checked)} />
        Anyone may see it here
      </label>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <button
        type="button"
        className={styles.button}
        data-primary="true"
        disabled={sending}
        onClick={() => void list()}
      >
        {sending ? 'Sending…' : 'List it'}
      </button>
    </>
  )
}
