import { Strip } from '@origami/demo-ui'
import type { DemoPage } from '@origami/protocol/control'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { call } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import styles from '../../parts/parts.module.css'
import { type Acting, useAct } from '../../parts/use-act.ts'

interface Actions {
  readonly page: DemoPage
  readonly refresh: () => void
  /** The question that is asked before a removal. */
  readonly removal: { readonly question: string; readonly detail: string }
  /** The buttons before Remove. */
  readonly children: (acting: Acting) => ReactNode
}

/** The row of buttons of those who control a demo, with Remove as the last. An error is shown above it. */
export function OwnerActions({ page, refresh, removal, children }: Actions) {
  const navigate = useNavigate()
  const acting = useAct(refresh)
  const remove = () =>
    acting.act(async () => {
      await call('DELETE /-/api/demos/:account/:name', { params: page })
      await navigate({ to: page.mine ? '/-/mine' : '/' })
    })
  return (
    <>
      {acting.problem && <Strip kind="wrong">{acting.problem}</Strip>}
      <div className={styles.row}>
        {children(acting)}
        <ConfirmButton label="Remove" {...removal} onConfirm={remove} />
      </div>
    </>
  )
}
