import { Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { change } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import styles from '../../parts/parts.module.css'

/** For the owner of a demo that runs elsewhere: how it is listed, and the buttons. */
export function Listed({ page, refresh }: { page: DemoPage; refresh: () => void }) {
  const navigate = useNavigate()
  const [problem, setProblem] = useState<string>()
  const [asking, setAsking] = useState(false)
  const api = `/-/api/demos${page.address}`
  const act = async (work: () => Promise<unknown>) => {
    setProblem(undefined)
    setAsking(true)
    await work().catch((error: unknown) => setProblem(error instanceof Error ? error.message : 'It did not work.'))
    setAsking(false)
    refresh()
  }
  const remove = () =>
    act(async () => {
      await change('DELETE', api)
      await navigate({ to: '/-/mine' })
    })
  return (
    <div className={styles.stack}>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <p>
        It is asked once a minute at <a href={page.url ?? undefined}>{page.url}</a> whether it answers.
      </p>
      {page.unlisted && (
        <p>
          Only you, and who has this link, see it here: <a href={page.unlisted}>{location.origin + page.unlisted}</a>
        </p>
      )}
      <div className={styles.row}>
        <button
          type="button"
          className={styles.button}
          data-primary="true"
          disabled={asking}
          onClick={() => void act(() => change('POST', `${api}/check`, {}))}
        >
          {asking ? 'Asking…' : 'Ask now'}
        </button>
        <button
          type="button"
          className={styles.button}
          onClick={() => void act(() => change('PATCH', api, { public: !page.public }))}
        >
          {page.public ? 'Make unlisted' : 'Make public'}
        </button>
        <ConfirmButton
          label="Remove"
          question={`Take ${page.title} off the list?`}
          detail="Its page here goes; the demo itself runs on."
          onConfirm={() => void remove()}
        />
      </div>
    </div>
  )
}
