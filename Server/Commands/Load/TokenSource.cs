using System.Buffers;
using Sketch.Engine;
using Sketch.Engine.Catalogue;

namespace Sketch.Server.Commands.Load;

/// <summary>How a file is cut into names.</summary>
internal enum Split
{
    /// <summary>Maximal runs of A-Z, a-z, 0-9 and bytes from 0x80, so that letters of UTF-8 stay whole.</summary>
    Words,

    /// <summary>Lines, without a final carriage return; empty ones are left out.</summary>
    Lines,
}

/// <summary>Cuts a stream into names; what can't be a counter's name is counted as skipped.</summary>
internal sealed class TokenSource(Stream stream, Split split) : ILoadSource
{
    private const int BufferBytes = 1 << 20;
    private static readonly SearchValues<byte> WordBytes = SearchValues.Create(
        [.. Enumerable.Range(0, 256).Select(b => (byte)b).Where(b => char.IsAsciiLetterOrDigit((char)b) || b >= 0x80)]);

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private bool _isLast;
    private bool _inOverlong;

    /// <inheritdoc/>
    public long BytesRead { get; private set; }

    /// <summary>Names that were too long, not UTF-8, or had control characters.</summary>
    public long Skipped { get; private set; }

    /// <inheritdoc/>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_isLast)
            return false;
        // What is left is the beginning of a name that goes on. One that fills more than names may have is dropped as it comes.
        int left = _end - _start;
        if (left > 2 * EngineLimits.MaxNameBytes)
        {
            _inOverlong = true;
            left = 0;
        }

        _buffer.AsSpan(_end - left, left).CopyTo(_buffer);
        (_start, _end) = (0, left);
        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _isLast = read == 0;
        _end += read;
        BytesRead += read;
        return true;
    }

    /// <inheritdoc/>
    public bool Fill(LoadBatch batch, int maxIncrements)
    {
        while (TryRead(out ReadOnlySpan<byte> name))
        {
            batch.Add(name);
            if (batch.Count == maxIncrements || batch.IsFull)
                return true;
        }

        return false;
    }

    /// <summary>The next whole name in the buffer; valid until <see cref="ReadAsync"/>.</summary>
    public bool TryRead(out ReadOnlySpan<byte> name)
    {
        while (TryCut(out name))
        {
            if (split == Split.Lines && name is [.., (byte)'\r'])
                name = name[..^1];
            if (_inOverlong)
            {
                _inOverlong = false;
                Skipped++;
            }
            else if (!name.IsEmpty)
            {
                if (CounterName.Check(name) is null)
                    return true;
                Skipped++;
            }
        }

        return false;
    }

    private bool TryCut(out ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> rest = _buffer.AsSpan(_start, _end - _start);
        int skip = split == Split.Words && !_inOverlong ? rest.IndexOfAny(WordBytes) : 0;
        if (skip < 0)
        {
            _start = _end;
            name = default;
            return false;
        }

        rest = rest[skip..];
        _start += skip;
        int length = split == Split.Words ? rest.IndexOfAnyExcept(WordBytes) : rest.IndexOf((byte)'\n');
        if (length < 0)
        {
            if (!_isLast || (rest.IsEmpty && !_inOverlong))
            {
                name = default;
                return false;
            }

            length = rest.Length;
        }

        name = rest[..length];
        _start += Math.Min(length + 1, rest.Length);
        return true;
    }
}
