import assert from 'node:assert/strict';
import { bytes, epochMs, milliseconds, monotonicMs } from '../../../config/units.js';
import { HourProfile } from '../../../wlis/health/hour-profile.js';
import { ContentMeasure, ObservedBandwidth } from '../../../wlis/health/observed-bandwidth.js';
import { ObservedLatency } from '../../../wlis/health/observed-latency.js';

const at = monotonicMs;
const isAbout = (value: number | null, expected: number): boolean =>
  value !== null && Math.abs(value - expected) <= expected / 10;

describe('the latency of a node', () => {
  const steady = (latency: number, from = 0, count = 100): ObservedLatency => {
    const observed = new ObservedLatency();
    for (let i = 0; i < count; i++) observed.note(milliseconds(latency), at(from + i * 100));
    return observed;
  };

  it('is not known before the first answer', () => {
    assert.equal(new ObservedLatency().at(at(0)), null);
    assert.equal(new ObservedLatency().measured, null);
  });

  it('is that of the first answer after it', () => {
    const observed = new ObservedLatency();
    observed.note(milliseconds(12), at(5));
    assert.equal(isAbout(observed.at(at(5)), 12), true);
    assert.equal(observed.measured, 5);
  });

  it('follows worse answers fast and better ones slowly', () => {
    const worse = steady(20);
    worse.note(milliseconds(200), at(10_000));
    assert.ok((worse.at(at(10_000)) ?? 0) > 60, 'one slow answer is noticed');
    const better = steady(200);
    better.note(milliseconds(20), at(10_000));
    assert.ok((better.at(at(10_000)) ?? 0) > 150, 'one fast answer is not enough');
    for (let i = 1; i < 200; i++) better.note(milliseconds(20), at(10_000 + i * 100));
    assert.ok((better.at(at(30_000)) ?? 0) < 40, 'but twenty seconds of them are');
  });

  it('goes back to what was usual while nobody asks', () => {
    const observed = steady(20);
    for (let i = 0; i < 5; i++) observed.note(milliseconds(500), at(10_000));
    const peak = observed.at(at(10_000)) ?? 0;
    assert.ok(peak > 300, `it is ${peak} ms`);
    assert.ok((observed.at(at(200_000)) ?? 0) < 40, 'it is found again');
  });

  it('remembers over a restart what was usual, and takes what comes then soon', () => {
    const after = new ObservedLatency(steady(20).usual);
    assert.ok(isAbout(after.at(at(0)), 20), 'it is as it was');
    assert.equal(after.measured, null);
  });
});

describe('the bandwidth of a node', () => {
  /** A content of so many chunks of 64 KiB, one each so many milliseconds; the reader takes so much time itself. */
  function delivered(chunks: number, every: number, readerTakes = 0): ObservedBandwidth {
    const bandwidth = new ObservedBandwidth();
    const measure = new ContentMeasure(bandwidth, at(0));
    let now = 0;
    for (let i = 0; i < chunks; i++) {
      measure.waits(at(now));
      now += every;
      measure.received(bytes(65_536), at(now));
      now += readerTakes;
    }
    measure.end(at(now));
    return bandwidth;
  }

  it('is what long contents bring in a second', () => {
    assert.ok(isAbout(delivered(40, 10).mean, 6_553_600), 'a hundred times 64 KiB in a second');
    assert.ok(isAbout(delivered(40, 655.36).mean, 100_000), 'a slow one');
  });

  it('is not judged by short contents', () => {
    const bandwidth = new ObservedBandwidth();
    const measure = new ContentMeasure(bandwidth, at(0));
    measure.received(bytes(60_000), at(10));
    measure.end(at(10));
    assert.equal(bandwidth.mean, null);
  });

  it('is not judged by what came with the head', () => {
    const bandwidth = new ObservedBandwidth();
    const measure = new ContentMeasure(bandwidth, at(0));
    measure.received(bytes(65_536), at(0));
    measure.received(bytes(65_536), at(100));
    measure.end(at(100));
    assert.equal(bandwidth.mean, 655_360);
  });

  it('is not held against a node whose reader is slow', () => {
    const bandwidth = delivered(40, 10);
    const before = bandwidth.mean;
    const measure = new ContentMeasure(bandwidth, at(0));
    for (let i = 0; i < 40; i++) {
      measure.waits(at(i * 1000));
      measure.received(bytes(65_536), at(i * 1000 + 1));
    }
    measure.end(at(40_000));
    assert.equal(bandwidth.mean, before);
  });

  it('is seen while a content that takes long is on its way', () => {
    const bandwidth = new ObservedBandwidth();
    const measure = new ContentMeasure(bandwidth, at(0));
    for (let i = 1; i <= 6; i++) {
      measure.waits(at(i * 100 - 100));
      measure.received(bytes(65_536), at(i * 100));
    }
    assert.ok(isAbout(bandwidth.mean, 655_360), `it is ${bandwidth.mean}`);
  });

  it('is a whole number', () => {
    const bandwidth = delivered(3, 7);
    for (let i = 0; i < 5; i++) bandwidth.note(bytes(1_000_003 * (i + 1)), false, at(i));
    assert.ok(Number.isSafeInteger(bandwidth.mean), `it is ${bandwidth.mean}`);
  });
});

describe('the hours of the week of a node', () => {
  const hour = 3_600_000;
  const week = 168 * hour;
  const time = (value: number) => epochMs(value);

  /** Four times as slow in hour 20 of each week, and as usual in all others. */
  function weeks(count: number): HourProfile {
    const profile = new HourProfile();
    for (let at = 0; at < count * week; at += hour / 4) {
      profile.note((at % week) / hour >= 20 && (at % week) / hour < 21 ? 4 : 1, time(at));
    }
    return profile;
  }

  it('say nothing before anything was seen', () => {
    assert.equal(new HourProfile().factor(time(5 * hour)), 1);
  });

  it('say how much slower it usually is then, the surer the more was seen', () => {
    const [once, often] = [weeks(1).factor(time(week + 20 * hour)), weeks(8).factor(time(8 * week + 20.5 * hour))];
    assert.ok(once > 1.5 && once < 3, `after a week ${once}`);
    assert.ok(often > once && often <= 4, `after eight weeks ${often}`);
    assert.equal(weeks(4).factor(time(4 * week + 21 * hour)), 1);
  });

  it('forget what is no longer so', () => {
    const profile = weeks(8);
    const before = profile.factor(time(8 * week + 20 * hour));
    for (let at = 8 * week; at < 14 * week; at += hour / 4) profile.note(1, time(at));
    const after = profile.factor(time(14 * week + 20 * hour));
    assert.ok(after < before / 2 + 0.6, `${before} became ${after}`);
  });

  it('are remembered as far as anything is known of them', () => {
    const profile = weeks(3);
    const again = HourProfile.of(profile.entries());
    assert.ok(Math.abs(again.factor(time(20 * hour)) - profile.factor(time(20 * hour))) < 0.05, 'as they were');
    assert.deepEqual(new HourProfile().entries(), []);
    assert.deepEqual(
      HourProfile.of([
        [999, 5, 5],
        [-1, 5, 5],
      ]).entries(),
      [],
    );
  });

  it('do not become absurd, whatever is said', () => {
    const profile = new HourProfile();
    for (const ratio of [NaN, Infinity, 0, -1, 1e300]) for (let i = 0; i < 500; i++) profile.note(ratio, time(0));
    const factor = profile.factor(time(0));
    assert.ok(factor >= 1 && factor <= 16, `it is ${factor}`);
  });
});
