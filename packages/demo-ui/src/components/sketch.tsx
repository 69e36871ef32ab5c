import { type PointerEvent, useEffect, useRef, useState } from 'react'
import styles from './components.module.css'
import { Upload } from './upload.tsx'
import type { InputProps, ViewOf } from './view.ts'

/** The background of the picture that the model gets. It is the same in light and dark. */
const paper = 'white'
const pen = 'black'

/**
 * A canvas that draws black on white, as the model gets it. A picture can be uploaded instead, for people who cannot
 * draw.
 */
function Input(props: InputProps) {
  const { id, described, invalid, options, value, onChange, demo, label } = props
  const { width = 280, height = 280 } = options as { width?: number; height?: number }
  const [brush, setBrush] = useState((options.brush as number | undefined) ?? Math.max(4, width / 16))
  const canvas = useRef<HTMLCanvasElement>(null)
  const sent = useRef<unknown>(undefined)
  /** Counts the changes of the canvas, so that the answer to an earlier upload is ignored. */
  const strokes = useRef(0)
  const last = useRef<Point>(undefined)
  useEffect(() => {
    if (value === sent.current && value !== null) return
    sent.current = value
    strokes.current++
    paint(canvas.current, typeof value === 'string' ? demo.address(value) : undefined)
  }, [value, demo])
  // It begins before the pointer's event ends, so that a Run pressed next waits for it. If the upload fails, the
  // drawing itself is sent with the input.
  const lift = async () => {
    const drawn = canvas.current?.toDataURL('image/png')
    if (!drawn) return
    const stroke = ++strokes.current
    const ref = await demo.upload(blobOf(drawn), 'drawing.png').catch(() => drawn)
    if (stroke !== strokes.current) return
    sent.current = ref
    onChange(ref)
  }
  const clear = () => {
    strokes.current++
    paint(canvas.current, undefined)
    onChange(null)
  }
  return (
    <div className={styles.sketch}>
      <canvas
        ref={canvas}
        width={width}
        height={height}
        className={styles.paper}
        role="img"
        aria-label={`${label}: draw here`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          last.current = draw(event, brush, undefined)
        }}
        onPointerMove={(event) => {
          if (event.buttons > 0) last.current = draw(event, brush, last.current)
        }}
        onPointerUp={() => void lift()}
      />
      <div className={styles.row}>
        <label className={styles.brush}>
          brush
          <input
            type="range"
            min={2}
            max={width / 6}
            value={brush}
            onChange={({ target }) => setBrush(target.valueAsNumber)}
          />
        </label>
        <button type="button" className={styles.small} onClick={clear}>
          Clear
        </button>
      </div>
      <details>
        <summary>Upload a picture instead</summary>
        <Upload {...props} id={id} described={described} invalid={invalid} accept="image/*" preview={false} />
      </details>
    </div>
  )
}

function blobOf(dataUri: string): Blob {
  const bytes = Uint8Array.from(atob(dataUri.slice(dataUri.indexOf(',') + 1)), (letter) => letter.charCodeAt(0))
  return new Blob([bytes], { type: 'image/png' })
}

function paint(canvas: HTMLCanvasElement | null, address: string | undefined): void {
  const context = canvas?.getContext('2d')
  if (!canvas || !context) return
  context.fillStyle = paper
  context.fillRect(0, 0, canvas.width, canvas.height)
  if (!address) return
  const picture = new Image()
  picture.onload = () => {
    const scale = Math.min(canvas.width / picture.naturalWidth, canvas.height / picture.naturalHeight)
    const [width, height] = [picture.naturalWidth * scale, picture.naturalHeight * scale]
    context.drawImage(picture, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height)
  }
  picture.src = address
}

type Point = readonly [x: number, y: number]

/** Draws a line from the last point to the pointer, and returns the pointer's place. */
function draw(event: PointerEvent<HTMLCanvasElement>, brush: number, from: Point | undefined): Point | undefined {
  const canvas = event.currentTarget
  const context = canvas.getContext('2d')
  if (!context) return undefined
  const box = canvas.getBoundingClientRect()
  const to = [
    ((event.clientX - box.left) / box.width) * canvas.width,
    ((event.clientY - box.top) / box.height) * canvas.height,
  ] as const
  context.strokeStyle = pen
  context.lineWidth = brush
  context.lineCap = 'round'
  context.beginPath()
  context.moveTo(...(from ?? to))
  context.lineTo(...to)
  context.stroke()
  return to
}

export const sketch: ViewOf<'sketch'> = { Input, isFile: true }
