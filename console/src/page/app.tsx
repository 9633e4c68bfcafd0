/** Chooses what to show: the batch, or the sentence that says why there is none and what to do. */
import type { Api } from '../api/client.ts'
import { chooseBatch } from '../model/batch-choice.ts'
import type { Zone } from '../model/time.ts'
import { useAddress } from '../state/use-address.ts'
import { useBatches } from '../state/use-batches.ts'
import { AsOfBanner } from './as-of.tsx'
import { BatchPage } from './batch-page.tsx'
import { FailureNotice, Notice } from './notice.tsx'

export function App({ api, zone }: { api: Api; zone: Zone }) {
  const [address, navigate] = useAddress()
  const batches = useBatches(api, address.asOfMs)
  const { asOfMs } = address
  const toLive = () => navigate({ batchId: address.batchId, asOfMs: null })
  const banner = asOfMs !== null && <AsOfBanner asOfMs={asOfMs} zone={zone} onLive={toLive} />

  if (address.refused)
    return (
      <Notice title={address.refused.title}>
        <p>
          <code>{address.refused.words}</code>
        </p>
        <button type="button" onClick={toLive}>
          Show the live page
        </button>
      </Notice>
    )
  if (batches.kind === 'loading') return <Notice title="Asking for the batches …" quiet />
  if (batches.kind === 'failed')
    return (
      <>
        {banner}
        <FailureNotice failure={batches.failure} />
      </>
    )
  const chosen = chooseBatch(batches.items, address.batchId)
  if (!chosen)
    return (
      <>
        {banner}
        {address.batchId === null ? (
          <NoBatch past={asOfMs !== null} />
        ) : (
          <Notice title="There is no such batch">
            <p>
              No batch has the id <code>{address.batchId}</code>
              {asOfMs === null ? '.' : ' at the instant viewed.'}
            </p>
            <button type="button" onClick={() => navigate({ batchId: null, asOfMs })}>
              Show the newest batch
            </button>
          </Notice>
        )}
      </>
    )
  return (
    <>
      {banner}
      <BatchPage
        key={`${chosen.id}@${asOfMs ?? 'live'}`}
        api={api}
        zone={zone}
        batchId={chosen.id}
        batches={batches.items}
        asOfMs={asOfMs}
        navigate={navigate}
      />
    </>
  )
}

function NoBatch({ past }: { past: boolean }) {
  if (past)
    return (
      <Notice title="No batch was recorded at that instant">
        <p>Choose a later instant, or go back to the live page.</p>
      </Notice>
    )
  return (
    <Notice title="No batch yet">
      <p>
        Create one with <code>POST /api/v1/batches</code>, start the product with a simulation (
        <code>BIOLEDGER_SIMULATE=N</code>), or replay a recorded run with <code>npx bioledger replay</code>.
        This page shows it as soon as it is there.
      </p>
    </Notice>
  )
}
