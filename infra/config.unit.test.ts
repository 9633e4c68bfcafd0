import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from './config.ts'

test('without any setting everything is embedded and preset N is simulated at sixty times real time', () => {
  const read = readConfig({ PATH: '/bin' })
  assert.ok('config' in read)
  assert.equal(read.config.dataFolder, './data')
  assert.equal(read.config.httpPort, 8080)
  assert.equal(read.config.simulate, 'N')
  assert.equal(read.config.simulateSpeed, 60)
})

test('an outside service switches the simulation off unless it is asked for', () => {
  const read = readConfig({ BIOLEDGER_MQTT_URL: 'mqtt://broker:1883' })
  assert.ok('config' in read && read.config.simulate === 'off')
  const asked = readConfig({ BIOLEDGER_MQTT_URL: 'mqtt://broker:1883', BIOLEDGER_SIMULATE: 'R' })
  assert.ok('config' in asked && asked.config.simulate === 'R')
})

test('every wrong setting is named at once, one line each, with its value and rule', () => {
  const read = readConfig({
    BIOLEDGER_HTTP_PORT: '99999',
    BIOLEDGER_MQTT_URL: 'http://broker',
    BIOLEDGER_SIMULATE_SPEED: 'fast',
    BIOLEDGER_LOG_LEVEL: 'loud',
    BIOLEDGER_SIMULTE: 'N',
    BIOLEDGER_POSTGRES_URL: 'mysql://me:secret@db/x',
  })
  assert.ok('errors' in read)
  assert.equal(read.errors.length, 6)
  for (const line of read.errors) assert.ok(!line.includes('\n') && line.startsWith('BIOLEDGER_'), line)
  assert.ok(!read.errors.join('\n').includes('secret'), 'no password in an error')
})
