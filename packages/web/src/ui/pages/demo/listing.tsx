import type { DemoPage } from '@origami/protocol/control'
import { call } from '../../api.ts'
import { ConfirmButton } from '../../parts/confirm.tsx'
import styles from '../../parts/parts.module.css'
import type { Acting } from '../../parts/use-act.ts'

/** The link to an unlisted demo, for its owner to share. */
export function UnlistedLink({ page }: { page: DemoPage }) {
  if (!page.unlisted) return null
  return (
    <p>
      Only you, and who has this link, see it here: <a href={page.unlisted}>{location.origin + page.unlisted}</a>
    </p>
  )
}

/** The button that ends the link to an unlisted demo, and makes another one. */
export function NewLinkButton({ page, act }: { page: DemoPage; act: Acting['act'] }) {
  if (!page.unlisted) return null
  return (
    <ConfirmButton
      label="New link"
      question="Make a new link?"
      detail="The present link will lead nowhere, also for those who came by it before. You share the new one."
      onConfirm={() => act(() => call('POST /-/api/demos/:account/:name/key', { params: page }))}
    />
  )
}

/** The button that lists a demo in the gallery, or removes it from there. */
export function ListingButton({ page, act }: { page: DemoPage; act: Acting['act'] }) {
  const turn = () => call('PATCH /-/api/demos/:account/:name', { params: page, body: { public: !page.public } })
  return (
    <button type="button" className={styles.button} onClick={() => act(turn)}>
      {page.public ? 'Make unlisted' : 'Make public'}
    </button>
  )
}
