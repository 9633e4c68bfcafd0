/**
 * Node against LightGBM: the rows that the trainer left are put through the exported heads, and each output must
 * equal LightGBM's own within float32 sums. A row at a threshold that took another branch would stand out by far.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Manifest } from '../model/manifest.ts'

export type Parity = { readonly rows: number; readonly heads: number; readonly largestDifference: number }

const tolerance = 2e-6

/** Throws Error naming the head and row when an output differs by more than 2e-6 (relative above 1). */
export async function compareWithTrainer(folder: string, heads: Manifest['heads']): Promise<Parity> {
  const stated = JSON.parse(await readFile(join(folder, 'parity.json'), 'utf8')) as {
    rows: number
    columns: number
    heads: Record<string, number[]>
  }
  const bytes = await readFile(join(folder, 'parity.f32'))
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  let largestDifference = 0
  for (const { name, file, columns } of heads) {
    const expected = stated.heads[name]
    if (expected?.length !== stated.rows)
      throw new Error(`head ${name}: the trainer left no rows to compare with`)
    const session = await InferenceSession.create(join(folder, file), {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      executionProviders: ['cpu'],
    })
    const rows = new Float32Array(stated.rows * columns)
    for (let row = 0; row < stated.rows; row++)
      rows.set(values.subarray(row * stated.columns, row * stated.columns + columns), row * columns)
    const outputs = await session.run({
      [session.inputNames[0] ?? 'x']: new Tensor('float32', rows, [stated.rows, columns]),
    })
    const found = outputs[session.outputNames[0] ?? 'variable']?.data
    await session.release()
    expected.forEach((value, row) => {
      const difference = Math.abs(Number(found?.[row]) - value) / Math.max(1, Math.abs(value))
      if (!(difference <= tolerance))
        throw new Error(`head ${name}, row ${row}: ${found?.[row]} in Node, ${value} in LightGBM`)
      largestDifference = Math.max(largestDifference, difference)
    })
  }
  return { rows: stated.rows, heads: heads.length, largestDifference }
}
