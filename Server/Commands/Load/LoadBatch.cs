using System.Buffers;
using System.Buffers.Text;
using Sketch.Engine;

namespace Sketch.Server.Commands.Load;

/// <summary>A batch on its way to the node: lines of {"name","element","delta"} in one pooled buffer.</summary>
internal sealed class LoadBatch : IDisposable
{
    private const int MaxBytes = 1 << 20;

    // A name of which every byte needs a backslash, an element of which every byte is written \u00xx, and what stands around them.
    private const int MaxLineBytes = (2 * EngineLimits.MaxNameBytes) + (6 * EngineLimits.MaxElementBytes) + 64;

    private static readonly SearchValues<byte> Escaped = SearchValues.Create([(byte)'"', (byte)'\\', .. Enumerable.Range(0, ' ').Select(b => (byte)b)]);

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(MaxBytes);
    private readonly List<(string File, long Line)> _places = [];
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
        Write("{\"name\":\""u8);
        WriteText(name);
        Write("\"}\n"u8);
        Count++;
    }

    /// <summary>Adds an increment of a row, and remembers where it stands.</summary>
    public void Add(in LoadRow row, string file, long line)
    {
        Write("{\"name\":\""u8);
        WriteText(row.Name);
        if (!row.Element.IsEmpty)
        {
            Write("\",\"element\":\""u8);
            WriteText(row.Element);
        }

        Write("\""u8);
        if (row.Delta is { } delta)
        {
            Write(",\"delta\":"u8);
            Utf8Formatter.TryFormat(delta, _buffer.AsSpan(_length), out int digits);
            _length += digits;
        }

        Write("}\n"u8);
        Count++;
        _places.Add((file, line));
    }

    /// <summary>Where an increment stands in the files; null when it is a word or line of text.</summary>
    /// <param name="number">Its number in the batch, from 1; null means all of them.</param>
    public string? Place(long? number)
    {
        if (_places.Count == 0)
            return null;
        (string file, long line) = _places[(int)Math.Clamp((number ?? 1) - 1, 0, _places.Count - 1)];
        return number is null ? $"{file} from line {line}" : $"{file} line {line}";
    }

    /// <inheritdoc/>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void WriteText(ReadOnlySpan<byte> text)
    {
        if (text.IndexOfAny(Escaped) < 0)
        {
            Write(text);
            return;
        }

        foreach (byte b in text)
        {
            if (b < ' ')
            {
                Write("\\u00"u8);
                _buffer[_length++] = (byte)('0' + (b >> 4));
                _buffer[_length++] = (byte)"0123456789abcdef"[b & 15];
                continue;
            }

            if (b is (byte)'"' or (byte)'\\')
                _buffer[_length++] = (byte)'\\';
            _buffer[_length++] = b;
        }
    }
}
