import { type PointerEvent, useEffect, useRef, useState } from 'react'
import { tokens } from '../look/tokens.ts'
import styles from './components.module.css'
import { Upload } from './upload.tsx'
import type { InputProps, View } from './view.ts'

const { paper, pen } = tokens.both

/** Paper to draw on: black on white, as the model gets it. A picture can be uploaded instead, for who cannot draw. */
function Input(props: InputProps) {
  const { id, described, invalid, options, value, onChange, demo, label } = props
  const { width = 280, height = 280 } = options as { width?: number; height?: number }
  const [brush, setBrush] = useState((options.brush as number | undefined) ?? Math.max(4, width / 16))
  const canvas = useRef<HTMLCanvasElement>(null)
  const sent = useRef<unknown>(undefined)
  useEffect(() => {
    if (value === sent.current && value !== null) return
    sent.current = value
    show(canvas.current, typeof value === 'string' ? demo.address(value) : undefined)
  }, [value, demo])
  // Small enough to go with the input: what is drawn is there when Run is pressed.
  const lift = () => {
    const drawn = canvas.current?.toDataURL('image/png')
    sent.current = drawn
    if (drawn) onChange(drawn)
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
          draw(event, brush)
        }}
        onPointerMove={(event) => event.buttons > 0 && draw(event, brush)}
        onPointerUp={lift}
      />
      <div className={styles.row}>
        <label className={styles.brush}>
          brush
          <input type="range" min={2} max={width / 6} value={brush} onChange={({ target }) => setBrush(target.valueAsNumber)} />
        </label>
        <button type="button" className={styles.small} onClick={() => onChange(null)}>
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

function show(canvas: HTMLCanvasElement | null, address: string | undefined): void {
  const context = canvas?.getContext('2d')
  if (!canvas || !context) return
  context.fillStyle = paper
  context.fillRect(0, 0, canvas.width, canvas.height)
  if (!address) return
  const picture = new Image()
  picture.onload = () => context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.src = address
}

function draw({ currentTarget: canvas, nativeEvent }: PointerEvent<HTMLCanvasElement>, brush: number): void {
  const context = canvas.getContext('2d')
  if (!context) return
  const box = canvas.getBoundingClientRect()
  const at = (event: { clientX: number; clientY: number }) =>
    [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height] as const
  const [x, y] = at(nativeEvent)
  const isDown = nativeEvent.type === 'pointerdown'
  const [fromX, fromY] = isDown
    ? [x, y]
    : at({ clientX: nativeEvent.clientX - nativeEvent.movementX, clientY: nativeEvent.clientY - nativeEvent.movementY })
  context.strokeStyle = pen
  context.lineWidth = brush
  context.lineCap = 'round'
  context.beginPath()
  context.moveTo(fromX, fromY)
  context.lineTo(x, y)
  context.stroke()
}

export const sketch: View = { Input }
