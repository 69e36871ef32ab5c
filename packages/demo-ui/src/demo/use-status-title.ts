import { useEffect } from 'react'

const dash = ' – '

/** Puts the status, such as `Running · 2 s`, in front of the page's own title, even when that changes. */
export function useStatusTitle(status: string | undefined): void {
  useEffect(() => {
    if (!status) return
    document.title = `${status}${dash}${document.title}`
    return () => {
      const { title } = document
      if (title.includes(dash)) document.title = title.slice(title.indexOf(dash) + dash.length)
    }
  }, [status])
}
