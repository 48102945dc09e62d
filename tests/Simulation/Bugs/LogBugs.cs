using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Sketch.Engine.Fold;
using Sketch.Engine.Log;

namespace Sketch.Tests.Simulation.Bugs;

/// <summary>Mistakes made between the engine and its log.</summary>
internal abstract class LogBug : Bug
{
    public override IIncrementLog Wrap(IIncrementLog log, TimeProvider clock) => new Wrapped(log, Begin(log, clock));

    /// <summary>The state of one process.</summary>
    protected abstract Life Begin(IIncrementLog log, TimeProvider clock);

    internal class Life
    {
        public virtual LogRecord Append(LogRecord record) => record;

        /// <summary>Changes a record as it is read; the one that comes back takes its place.</summary>
        public virtual LogRecord Read(LogRecord record, long position, bool follow) => record;

        public virtual bool ChangesReads => false;
    }

    private sealed class Wrapped(IIncrementLog log, Life life) : IIncrementLog
    {
        public LogIdentity Identity => log.Identity;

        public LogRange Range => log.Range;

        public Task Failed => log.Failed;

        public ValueTask<Appended> AppendAsync(LogRecord record, Durability durability, CancellationToken cancellationToken) =>
            log.AppendAsync(life.Append(record), durability, cancellationToken);

        public IAsyncEnumerable<LogSlice> ReadAsync(long from, bool follow, CancellationToken cancellationToken) =>
            life.ChangesReads ? Changed(from, follow, cancellationToken) : log.ReadAsync(from, follow, cancellationToken);

        public ValueTask TruncateBeforeAsync(long position, CancellationToken cancellationToken) => log.TruncateBeforeAsync(position, cancellationToken);

        public ValueTask DisposeAsync() => log.DisposeAsync();

        private async IAsyncEnumerable<LogSlice> Changed(long from, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (LogSlice slice in log.ReadAsync(from, follow, cancellationToken))
            {
                LogSlice changed = Change(slice, follow);
                slice.Dispose();
                yield return changed;
            }
        }

        private LogSlice Change(LogSlice slice, bool follow)
        {
            byte[] bytes = new byte[slice.Bytes.Length + (slice.Count * 64)];
            int at = 0;
            foreach (LoggedRecord logged in slice)
            {
                LogRecord record = new(logged.Kind, logged.Producer, logged.Sequence, logged.AppendId, logged.Payload.ToArray());
                at += RecordFrame.Encode(bytes.AsSpan(at), life.Read(record, logged.Position, follow), logged.Position, logged.TimeMs);
            }

            return new LogSlice(bytes, at, slice.First, slice.Count, static _ => { });
        }
    }
}

/// <summary>Forgets at a start what producers had sent before it.</summary>
internal sealed class ForgetsProducers : LogBug
{
    private ulong _lives;

    protected override Life Begin(IIncrementLog log, TimeProvider clock) => new Forgetful(++_lives);

    private sealed class Forgetful(ulong number) : Life
    {
        public override LogRecord Append(LogRecord record) =>
            record.Producer == UInt128.Zero ? record : record with { Producer = record.Producer ^ number };
    }
}

/// <summary>Takes whatever is not above a producer's highest sequence for a duplicate.</summary>
internal sealed class KnowsLastSequenceOnly : LogBug
{
    protected override Life Begin(IIncrementLog log, TimeProvider clock) => new HighWater();

    private sealed class HighWater : Life
    {
        private readonly Dictionary<UInt128, long> _highest = [];

        public override LogRecord Append(LogRecord record)
        {
            if (record.Producer == UInt128.Zero)
            {
                return record;
            }

            long highest = _highest[record.Producer] = Math.Max(_highest.GetValueOrDefault(record.Producer), record.Sequence);
            return record with { Sequence = highest };
        }
    }
}

/// <summary>Closes windows when the clock says so, not where the log does.</summary>
internal sealed class ClosesWindowsByClock : LogBug
{
    protected override Life Begin(IIncrementLog log, TimeProvider clock) => new ByClock(clock);

    private sealed class ByClock(TimeProvider clock) : Life
    {
        public override bool ChangesReads => true;

        public override LogRecord Read(LogRecord record, long position, bool follow) =>
            record.Kind == RecordKind.Marker && clock.GetUtcNow().Millisecond % 3 == 0 ? record with { Payload = NoWindow() } : record;
    }

    private static byte[] NoWindow()
    {
        byte[] payload = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(payload, -1);
        return payload;
    }
}

/// <summary>Deletes idle counters although they were incremented after the log named them.</summary>
internal sealed class DeletesWhoWasSaved : LogBug
{
    protected override Life Begin(IIncrementLog log, TimeProvider clock) => new Unconditional();

    private sealed class Unconditional : Life
    {
        public override bool ChangesReads => true;

        public override LogRecord Read(LogRecord record, long position, bool follow) => record.Kind == RecordKind.Removal
            ? record with { Payload = (RemovalRecord.From(record.Payload.Span) with { Expiring = null }).ToBytes() }
            : record;
    }
}

/// <summary>Begins a replay one record too late.</summary>
internal sealed class ReplaysOffByOne : LogBug
{
    protected override Life Begin(IIncrementLog log, TimeProvider clock) => new OffByOne(log.Range.Next);

    private sealed class OffByOne(long end) : Life
    {
        private bool _skipped;

        public override bool ChangesReads => true;

        public override LogRecord Read(LogRecord record, long position, bool follow)
        {
            if (!follow || _skipped || position >= end || record.Kind != RecordKind.Increments)
            {
                return record;
            }

            _skipped = true;
            return new LogRecord(RecordKind.Marker, 0, 0, record.AppendId, BitConverter.GetBytes(-1L));
        }
    }
}
