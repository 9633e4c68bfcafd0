/** Which model forecasts, in which state, for which data; its card; and how often it withheld a forecast here. */
import type { ForecastCoverage, ModelVersion } from '../api/answers.ts'
import type { Api } from '../api/client.ts'
import { reasonWords } from '../model/forecast.ts'
import type { Zone } from '../model/time.ts'
import type { StatusWord } from '../model/value.ts'
import { Instant } from './instant.tsx'
import { ModelHistory } from './model-history.tsx'
import { Status } from './shape.tsx'

export function Models({
  api,
  models,
  coverage,
  asOfMs,
  zone,
}: {
  api: Api
  models: readonly ModelVersion[]
  coverage: ForecastCoverage | undefined
  asOfMs: number | null
  zone: Zone
}) {
  return (
    <section className="panel" aria-labelledby="models-title">
      <h2 id="models-title">Models</h2>
      {models.length === 0 ? (
        <p className="empty-words">No model is registered.</p>
      ) : (
        <ul className="models">
          {models.map((model) => (
            <Model
              key={`${model.modelId} ${model.version} ${model.modelHash}`}
              model={model}
              asOfMs={asOfMs}
              zone={zone}
            />
          ))}
        </ul>
      )}
      {[...new Set(models.map(({ modelId }) => modelId))].map((modelId) => (
        <ModelHistory key={modelId} api={api} modelId={modelId} asOfMs={asOfMs} zone={zone} />
      ))}
      {coverage && (coverage.issued > 0 || coverage.withheld.length > 0) && <Outcomes coverage={coverage} />}
    </section>
  )
}

function Model({ model, asOfMs, zone }: { model: ModelVersion; asOfMs: number | null; zone: Zone }) {
  const asOf = asOfMs === null ? '' : `&asOf=${new Date(asOfMs).toISOString()}`
  const document = (part: string) =>
    `/api/v1/models/${encodeURIComponent(model.modelId)}/${part}?version=${encodeURIComponent(model.version)}${asOf}`
  return (
    <li>
      <p>
        <b>
          {model.modelId} {model.version}
        </b>{' '}
        <Status status={stateWord[model.state]} />
      </p>
      <p>
        {model.state === 'active'
          ? `for ${model.activeFor.length > 0 ? model.activeFor.join(', ') : 'no'} data, `
          : ''}
        since <Instant at={Date.parse(model.stateSince)} zone={zone} form="date-time" />
        {model.suspension && `: ${model.suspension.finding} (${model.suspension.rule})`}
      </p>
      <p className="dim">
        sha <code title={model.modelHash}>{model.modelHash.slice(0, 8)}…</code>
      </p>
      <p className="documents">
        {model.cardSha256 !== null && (
          <a href={document('card')} target="_blank" rel="noreferrer">
            Model card
          </a>
        )}
        {model.reportSha256 !== null && (
          <a href={document('report')} target="_blank" rel="noreferrer">
            Validation report
          </a>
        )}
      </p>
    </li>
  )
}

function Outcomes({ coverage }: { coverage: ForecastCoverage }) {
  const withheld = coverage.withheld.reduce((sum, { count }) => sum + count, 0)
  const share = (100 * withheld) / (coverage.issued + withheld)
  return (
    <>
      <p className="outcomes">
        In this batch: <b>{coverage.issued}</b> issued, <b>{withheld}</b> withheld ({Number(share.toFixed(1))}{' '}
        %)
      </p>
      {coverage.withheld.length > 0 && (
        <table className="values">
          <caption className="visually-hidden">Forecasts withheld in this batch</caption>
          <thead>
            <tr>
              <th scope="col">Withheld because</th>
              <th scope="col" className="numeric">
                Windows
              </th>
            </tr>
          </thead>
          <tbody>
            {coverage.withheld.map(({ reason, count }) => (
              <tr key={reason}>
                <th scope="row">{reasonWords(reason)}</th>
                <td className="numeric">{count}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}

const stateWord: Record<ModelVersion['state'], StatusWord> = {
  registered: { word: 'registered', shape: 'ring', tone: 'dim' },
  approved: { word: 'approved, not active', shape: 'ring', tone: 'normal' },
  active: { word: 'active', shape: 'circle', tone: 'normal' },
  superseded: { word: 'superseded', shape: 'ring', tone: 'dim' },
  suspended: { word: 'suspended', shape: 'cross', tone: 'alarm' },
  retired: { word: 'retired', shape: 'ring', tone: 'dim' },
}
