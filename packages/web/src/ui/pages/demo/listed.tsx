import { Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import { change } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import styles from '../../parts/parts.module.css'
import { useAct } from '../../parts/use-act.ts'

/** For the owner of a demo that runs elsewhere: how it is listed, and the buttons. */
export function Listed({ page, refresh }: { page: DemoPage; refresh: () => void }) {
  const navigate = useNavigate()
  const { busy, problem, act } = useAct(refresh)
  const api = `/-/api/demos${page.address}`
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
          disabled={busy}
          onClick={() => act(() => change('POST', `${api}/check`, {}))}
        >
          {busy ? 'Asking…' : 'Ask now'}
        </button>
        <button type="button" className={styles.button} onClick={() => act(() => change('PATCH', api, { public: !page.public }))}>
          {page.public ? 'Make unlisted' : 'Make public'}
        </button>
        <ConfirmButton
          label="Remove"
          question={`Take ${page.title} off the list?`}
          detail="Its page here goes; the demo itself runs on."
          onConfirm={remove}
        />
      </div>
    </div>
  )
}
