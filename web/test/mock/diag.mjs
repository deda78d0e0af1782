// What the machine of the mock says of itself.
export const hardware = empty => ({
  board: 'Raspberry Pi 4 Model B Rev 1.5',
  cpu: { model: 'Cortex-A72', cores: 4, architecture: 'aarch64', frequency_mhz: 1500 },
  memory: { bytes: 1_004_000_000, used_bytes: 462_000_000, swap_bytes: 512_000_000, swap_used_bytes: 11_000_000 },
  temperatures: empty ? [] : [{ name: 'SoC', celsius: 58.8, limit_c: 80 }],
  storage: [
    { path: '/var/lib/lightship', device: '/dev/mmcblk0p2', filesystem: 'ext4', bytes: 28_900_000_000, free_bytes: 10_700_000_000, wear_percent: 3, holds: ['history', 'outbox'] },
    { path: '/', device: '/dev/mmcblk0p1', filesystem: 'ext4', bytes: 8_000_000_000, free_bytes: 410_000_000, wear_percent: null, holds: ['system'] },
  ],
  serial: empty ? [] : [
    { device: '/dev/ttyS0', driver: 'serial8250', by_id: null, used_by: 'modbus/main-panel' },
    { device: '/dev/ttyUSB0', driver: 'ftdi_sio', by_id: '/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0', used_by: null },
  ],
  gpio: empty ? [] : [{ chip: 'gpiochip0', label: 'pinctrl-bcm2711', lines: 58 }],
  os: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0-18-arm64',
})
export const network = empty => ({
  interfaces: [
    { name: 'eth0', up: true, mac: 'dc:a6:32:01:02:03', speed_mbit: 1000, addresses: ['192.168.1.20/24', 'fe80::dea6:32ff:fe01:203/64'], received_bytes: 48_201_332, sent_bytes: 91_022_113, errors: 0 },
    { name: 'wlan0', up: false, mac: 'dc:a6:32:01:02:04', speed_mbit: null, addresses: [], received_bytes: 0, sent_bytes: 0, errors: 0 },
  ],
  routes: [{ destination: 'default', via: '192.168.1.1', interface: 'eth0' }, { destination: '192.168.1.0/24', via: null, interface: 'eth0' }],
  dns: ['192.168.1.1'], hostname: 'harbor-4',
  reach: empty ? [] : [
    { name: 'MQTT publisher', address: 'mqtt.example.com:8883', ok: true, ms: 29.2, error: null },
    { name: 'HTTP publisher', address: 'ingest.example.com:443', ok: true, ms: 25.8, error: null },
    { name: 'Alert notifier', address: 'api.telegram.org:443', ok: false, ms: null, error: 'connect: timed out after 3 s' },
  ],
})
export const lines = empty => ({
  items: empty ? [] : [
    {
      name: 'modbus/main-panel', title: 'Main electrical panel', line: '/dev/ttyS0 9600 8N1', busy_percent: 41.2, planned_percent: 38.5, requests: 184_201, failed: 337, bytes_in: 12_400_210, bytes_out: 1_473_608, errors: { timeout: 301, 'bad CRC': 27, 'exception 2': 9 },
      plan: [
        { device: 'main-panel/meter-1', function: 3, first: 2999, count: 12, interval_s: 10, wire_ms: 58.3, points: ['current_l1', 'current_l2', 'current_l3', 'voltage_l1'], note: 'a gap of 20 registers is not worth joining' },
        { device: 'main-panel/meter-1', function: 3, first: 3027, count: 6, interval_s: 10, wire_ms: 43.8, points: ['voltage_l1', 'voltage_l2', 'voltage_l3'], note: null },
        { device: 'main-panel/meter-7', function: 4, first: 100, count: 40, interval_s: 10, wire_ms: 114.6, points: ['active_power_total', 'power_factor_total'], note: 'no gaps: the device refused' },
      ],
    },
    { name: 'modbus/remote-panel', title: 'Remote panel', line: '192.168.1.100:502', busy_percent: 3.1, planned_percent: 2.4, requests: 92_021, failed: 8640, bytes_in: 9_221_010, bytes_out: 1_104_252, errors: { timeout: 8640 }, plan: [{ device: 'remote-panel/pv-a', function: 3, first: 40072, count: 50, interval_s: 5, wire_ms: 0.4, points: ['ac_power', 'ac_energy'], note: null }] },
  ],
})
