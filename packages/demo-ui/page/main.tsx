import '../src/look/look.css'

import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RuntimePage } from '../src/index.ts'

const place = document.getElementById('page')
if (place)
  createRoot(place).render(
    <StrictMode>
      <RuntimePage />
    </StrictMode>,
  )
