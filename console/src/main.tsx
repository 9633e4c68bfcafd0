/** The console: one live page of the running batch. Everything it shows comes over HTTP from the same origin. */
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import 'uplot/dist/uPlot.min.css'
import './styles/base.css'
import './styles/page.css'
import './styles/charts.css'
import './styles/print.css'
import { createApi } from './api/client.ts'
import { App } from './page/app.tsx'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no element with the id root')
createRoot(root).render(
  <StrictMode>
    <App api={createApi()} zone={Intl.DateTimeFormat().resolvedOptions().timeZone} />
  </StrictMode>,
)
