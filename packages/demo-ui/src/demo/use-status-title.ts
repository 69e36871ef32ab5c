import { useEffect } from 'react'

const dash = ' – '

/** What goes on, such as `Running · 2 s`, stands before the page's own title, whatever that is by now. */
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
