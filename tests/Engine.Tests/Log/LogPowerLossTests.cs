using System.Collections.Concurrent;
using Sketch.Engine.Log;

namespace Sketch.Tests.Engine.Log;

/// <summary>Many short lives on a disk that loses its power, fills up or fails: what was acknowledged is there, and nothing else than what was appended.</summary>
public sealed class LogPowerLossTests
{
    private const string Folder = "/log";

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_was_acknowledged_is_there_after_a_loss_of_power(int part)
    {
        int lost = 0;
        int cuts = 0;
        for (int seed = part * 100; seed < (part + 1) * 100; seed++)
        {
            (int lostHere, int cutsHere) = await new History(seed).Live();
            lost += lostHere;
            cuts += cutsHere;
        }

        // The disk did lose unsynced records and tear groups; else this test would show nothing.
        Assert.InRange(lost, 1, int.MaxValue);
        Assert.InRange(cuts, 1, int.MaxValue);
    }

    private sealed class History(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly ConcurrentDictionary<long, LogRecord> _appended = new();
        private readonly ConcurrentDictionary<long, Seen> _flushed = new();
        private readonly ConcurrentDictionary<long, Seen> _written = new();
        private SimulatedDisk _disk = new();
        private long _number;
        private volatile int _life;

        public async Task<(int Lost, int Cuts)> Live()
        {
            int lost = 0;
            int cuts = 0;
            for (int life = 0; life < 4; life++)
            {
                _life = life;
                EmbeddedLog log;
                try
                {
                    log = await LogTesting.Open(Folder, segmentBytes: _random.Next(4, 40) << 10, _disk);
                }
                catch (LogCorruptException error)
                {
                    throw new InvalidOperationException($"seed {seed}, life {life}", error);
                }

                cuts += log.Cut is null ? 0 : 1;
                List<Seen> there = await log.ReadAll(from: log.Range.First);
                lost += Verify(there, life);
                await Append(log);
                bool power = _random.Next(4) > 0;
                _disk.Fault = null;

                // From here on nobody hears an answer any more.
                _life = -1;
                SimulatedDisk next = power ? _disk.LosePower(_random) : _disk.LoseProcess();
                if (!power)
                {
                    // The process alone died: what was written is there too.
                    foreach ((long position, Seen record) in _written)
                    {
                        _flushed[position] = record;
                    }
                }

                _disk.ReleaseSyncs();
                await log.DisposeAsync();
                _disk = next;
            }

            return (lost, cuts);
        }

        private int Verify(List<Seen> there, int life)
        {
            Dictionary<long, Seen> byPosition = there.ToDictionary(record => record.Position);
            foreach (Seen record in there.Where(record => record.Kind != RecordKind.Genesis))
            {
                Assert.True(
                    _appended.TryGetValue(record.Sequence, out LogRecord original) && record == LogTesting.Expected(record.Position, original),
                    $"seed {seed}, life {life}: position {record.Position} was never appended like this");
            }

            foreach ((long position, Seen record) in _flushed)
            {
                Assert.True(byPosition.TryGetValue(position, out Seen? read) && read == record, $"seed {seed}, life {life}: position {position} is lost");
            }

            // Those that were lost are gone for good: their positions are given anew.
            int lost = _written.Keys.Count(position => !byPosition.ContainsKey(position));
            _written.Clear();
            foreach (Seen record in there)
            {
                _flushed[record.Position] = record;
            }

            return lost;
        }

        /// <summary>A few appenders at once, until the power goes in the middle.</summary>
        private async Task Append(EmbeddedLog log)
        {
            if (_random.Next(5) == 0)
            {
                string failing = _random.Next(2) == 0 ? "pwrite" : "fdatasync";
                int after = _random.Next(30);
                int failed = 0;
                _disk.Fault = (call, _) => call == failing && Interlocked.Decrement(ref after) < 0 && Interlocked.Exchange(ref failed, 1) == 0
                    ? SimulatedDisk.Broken(call) : null;
            }
            else if (_random.Next(5) == 0)
            {
                _disk.Free = _random.Next(60_000);
            }

            int[] seeds = [.. Enumerable.Range(0, 3).Select(_ => _random.Next())];
            await Task.WhenAll(seeds.Select(each => Task.Run(() => AppendSome(log, new Random(each)))));

            // The last ones are under way when the power goes: the sync that they wait for never ends.
            _disk.HoldSyncs();
            Task[] last = [.. Enumerable.Range(0, _random.Next(6)).Select(i => AppendOne(log, _random, (Durability)(i % 2)))];
            await Until.True(() => _disk.HeldSyncs == 1 || last.All(append => append.IsCompleted));
        }

        private async Task AppendSome(EmbeddedLog log, Random random)
        {
            for (int i = random.Next(40); i > 0; i--)
            {
                await AppendOne(log, random, random.Next(2) == 0 ? Durability.Written : Durability.Flushed);
            }
        }

        private async Task AppendOne(EmbeddedLog log, Random random, Durability durability)
        {
            long number = Interlocked.Increment(ref _number);
            LogRecord record = LogTesting.Record(number, random.Next(8, 3_000));
            _appended[number] = record;
            int life = _life;
            Appended answer = await log.AppendAsync(record, durability, default);
            if (answer.Status == AppendStatus.Appended && life == _life)
            {
                (durability == Durability.Flushed ? _flushed : _written)[answer.Position] = LogTesting.Expected(answer.Position, record);
            }
        }
    }
}
