import { Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import { change } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import styles from '../../parts/parts.module.css'
import { useAct } from '../../parts/use-act.ts'

/** For the owner of a demo whose deploy never reached the daemon: the way on, and the way back. */
export function NotDeployed({ page, refresh }: { page: DemoPage; refresh: () => void }) {
  const navigate = useNavigate()
  const { busy, problem, act } = useAct(refresh)
  const api = `/-/api/demos${page.address}`
  const remove = () =>
    act(async () => {
      await change('DELETE', api)
      await navigate({ to: '/-/mine' })
    })
  return (
    <>
      {problem && <Strip kind="wrong">{problem}</Strip>}
      <div className={styles.row}>
        <button
          type="button"
          className={styles.button}
          data-primary="true"
          disabled={busy}
          onClick={() => act(() => change('POST', `${api}/deploy`, {}))}
        >
          Deploy
        </button>
        <ConfirmButton
          label="Remove"
          question={`Remove ${page.title}?`}
          detail="Nothing was deployed of it, so nothing else goes with it."
          onConfirm={remove}
        />
      </div>
    </>
  )
}
