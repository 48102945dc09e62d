using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Sketch.Client;

/// <summary>Increments that go together, and stay together however often they are sent. The format is docs/formats/batch.md.</summary>
internal sealed class CountedBatch
{
    private const int HeaderBytes = 24;

    private readonly List<string> _names = [];
    private readonly List<long> _deltas = [];
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its sequence; zero until it is on its way.</summary>
    public long Sequence { get; set; }

    /// <summary>It says all of its names: the node forgot one of them.</summary>
    public bool NamesAll { get; set; }

    /// <summary>A connection broke while it was on its way: nobody knows whether it was counted.</summary>
    public bool MayBeCounted { get; set; }

    /// <summary>How many increments it has.</summary>
    public int Count => _names.Count;

    /// <summary>Whose they are, in order.</summary>
    public IEnumerable<string> Names => _names;

    /// <summary>Completes when it was counted, or refused for good.</summary>
    public Task Answered => _answered.Task;

    /// <summary>Adds an increment.</summary>
    public void Add(string name, long delta)
    {
        _names.Add(name);
        _deltas.Add(delta);
    }

    /// <summary>It was counted, or refused for good.</summary>
    public void End() => _answered.TrySetResult();

    /// <summary>Nobody sends it any more.</summary>
    public void Abandon() => _answered.TrySetException(new ObjectDisposedException(nameof(IncrementSender)));

    /// <summary>Writes the batch.</summary>
    /// <param name="into">Receives it.</param>
    /// <param name="namespace">Where it counts.</param>
    /// <param name="producer">Who sends it, in UTF-8.</param>
    /// <param name="known">Names that the node knows.</param>
    public void Write(ArrayBufferWriter<byte> into, string @namespace, ReadOnlySpan<byte> producer, HashSet<string> known)
    {
        List<string> declared = [.. _names.Where(name => NamesAll || !known.Contains(name)).Distinct(StringComparer.Ordinal)];
        int width = _deltas.TrueForAll(d => d == 1) ? 0 : _deltas.TrueForAll(d => d is >= 0 and <= byte.MaxValue) ? 1 : sizeof(long);
        Span<byte> head = Take(into, HeaderBytes + ((producer.Length + 7) & ~7));
        head.Clear();
        "SKB1"u8.CopyTo(head);
        head[4] = (byte)width;
        BinaryPrimitives.WriteUInt16LittleEndian(head[6..], (ushort)producer.Length);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[20..], declared.Count);
        producer.CopyTo(head[HeaderBytes..]);
        foreach (string name in _names)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(Take(into, sizeof(ulong)), XxHash3.HashToUInt64(Encoding.UTF8.GetBytes($"{@namespace}:{name}")));
        }

        foreach (long delta in _deltas)
        {
            if (width == 1)
                Take(into, 1)[0] = (byte)delta;
            else if (width == sizeof(long))
                BinaryPrimitives.WriteInt64LittleEndian(Take(into, sizeof(long)), delta);
        }

        foreach (string name in declared)
        {
            int bytes = Encoding.UTF8.GetByteCount(name);
            Span<byte> text = Take(into, sizeof(ushort) + bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(text, (ushort)bytes);
            Encoding.UTF8.GetBytes(name, text[sizeof(ushort)..]);
        }
    }

    private static Span<byte> Take(ArrayBufferWriter<byte> from, int bytes)
    {
        Span<byte> taken = from.GetSpan(bytes)[..bytes];
        from.Advance(bytes);
        return taken;
    }
}
