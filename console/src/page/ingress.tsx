/** The ingress balance: everything that arrived is stored, a duplicate or quarantined; by source on demand. */
import type { IngressBalance } from '../api/answers.ts'
import { Shape, Status } from './shape.tsx'

const count = (value: number) => value.toLocaleString('en-GB').replaceAll(',', ' ')

export function Ingress({ balance }: { balance: IngressBalance | undefined }) {
  return (
    <section className="panel" aria-labelledby="ingress-title">
      <h2 id="ingress-title">Ingress balance</h2>
      {balance ? <Figures balance={balance} /> : <p className="empty-words">Asking for the balance …</p>}
    </section>
  )
}

function Figures({ balance }: { balance: IngressBalance }) {
  const { received, stored, duplicate, quarantined, balanced, sinceStatement, bySource } = balance
  const difference = received - stored - duplicate - quarantined
  return (
    <>
      <p className="balance">
        <span>
          <b>{count(received)}</b> received
        </span>{' '}
        ={' '}
        <span>
          <b>{count(stored)}</b> stored
        </span>{' '}
        +{' '}
        <span>
          <b>{count(duplicate)}</b> duplicate
        </span>{' '}
        +{' '}
        <span className={quarantined > 0 ? 'tone-caution' : undefined}>
          {quarantined > 0 && <Shape shape="up" />}
          <b>{count(quarantined)}</b> quarantined
        </span>
      </p>
      <p>
        <Status
          status={
            balanced
              ? { word: 'balanced', shape: 'circle', tone: 'normal' }
              : {
                  word: `not balanced: ${count(Math.abs(difference))} ${difference > 0 ? 'unaccounted for' : 'too many'}`,
                  shape: 'cross',
                  tone: 'alarm',
                }
          }
        />
        {sinceStatement > 0 && (
          <span className="dim"> · {count(sinceStatement)} more since ingest’s last statement</span>
        )}
      </p>
      {bySource.length > 0 && (
        <details>
          <summary>By source ({bySource.length})</summary>
          <div className="table-scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Topic</th>
                  <th scope="col" className="numeric">
                    Received
                  </th>
                  <th scope="col" className="numeric">
                    Stored
                  </th>
                  <th scope="col" className="numeric">
                    Dupl.
                  </th>
                  <th scope="col" className="numeric">
                    Quar.
                  </th>
                </tr>
              </thead>
              <tbody>
                {bySource.map((source) => (
                  <tr key={source.topic}>
                    <th scope="row">
                      <code>{source.topic}</code>
                    </th>
                    <td className="numeric">{count(source.received)}</td>
                    <td className="numeric">{count(source.stored)}</td>
                    <td className="numeric">{count(source.duplicate)}</td>
                    <td className="numeric">{count(source.quarantined)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </>
  )
}
