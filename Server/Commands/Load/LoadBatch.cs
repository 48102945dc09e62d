using System.Buffers;
using Sketch.Engine;

namespace Sketch.Server.Commands.Load;

/// <summary>A batch on its way to the node: lines of {"name":"..."} in one pooled buffer.</summary>
internal sealed class LoadBatch : IDisposable
{
    private const int MaxBytes = 1 << 20;

    // A name of which every byte needs a backslash, and what stands around it.
    private const int MaxLineBytes = (2 * EngineLimits.MaxNameBytes) + 16;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(MaxBytes);
    private int _length;

    /// <summary>The connection's number for it, from 1.</summary>
    public long Sequence { get; init; }

    /// <summary>How many increments it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of input that it covers.</summary>
    public long InputBytes { get; set; }

    /// <summary>True when the next name might not fit.</summary>
    public bool IsFull => _length > MaxBytes - MaxLineBytes;

    /// <summary>The body.</summary>
    public ReadOnlyMemory<byte> Body => _buffer.AsMemory(0, _length);

    /// <summary>Adds one increment.</summary>
    public void Add(ReadOnlySpan<byte> name)
    {
        Span<byte> into = _buffer.AsSpan(_length);
        ReadOnlySpan<byte> before = "{\"name\":\""u8;
        ReadOnlySpan<byte> after = "\"}\n"u8;
        before.CopyTo(into);
        int at = before.Length;
        if (name.IndexOfAny((byte)'"', (byte)'\\') < 0)
        {
            name.CopyTo(into[at..]);
            at += name.Length;
        }
        else
        {
            foreach (byte b in name)
            {
                if (b is (byte)'"' or (byte)'\\')
                    into[at++] = (byte)'\\';
                into[at++] = b;
            }
        }

        after.CopyTo(into[at..]);
        _length += at + after.Length;
        Count++;
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);
}
