using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Server.Rest;

namespace Sketch.Server.Commands.Load;

/// <summary>
/// Rows of a file, each an increment. The first row with something wrong in it ends the load with its line, and nothing of the batch that it would have been in
/// is sent.
/// </summary>
internal abstract class RowSource(Stream stream, string file) : ILoadSource
{
    /// <summary>What a delta may be, for messages.</summary>
    protected static readonly string DeltaForm = $"a whole number from -{EngineLimits.MaxDelta} to {EngineLimits.MaxDelta}";

    private const int BufferBytes = 1 << 20;
    private const int MaxRowBytes = 64 << 10;
    private static readonly string ElementForm = $"1 to {EngineLimits.MaxElementBytes} bytes of UTF-8";

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private bool _isLast;
    private bool _hasBegun;

    // What some programs put before UTF-8.
    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    /// <inheritdoc/>
    public long BytesRead { get; private set; }

    /// <inheritdoc/>
    public long Skipped => 0;

    /// <summary>The line on which the current row begins, from 1.</summary>
    protected long Line { get; private set; } = 1;

    /// <inheritdoc/>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_isLast)
            return false;
        int left = _end - _start;
        if (left > MaxRowBytes)
            throw Refuse("row", $"longer than {MaxRowBytes} bytes", $"rows of at most {MaxRowBytes} bytes");
        _buffer.AsSpan(_start, left).CopyTo(_buffer);
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
        ReadOnlySpan<byte> buffer = _buffer;
        if (!_hasBegun)
        {
            if (_end < Mark.Length && !_isLast)
                return false;
            _hasBegun = true;
            _start = buffer[.._end].StartsWith(Mark) ? Mark.Length : 0;
        }

        while (_start < _end)
        {
            ReadOnlySpan<byte> rest = buffer[_start.._end];
            int length = Cut(rest, _isLast);
            if (length == 0)
                return false;
            if (TryRead(rest[..length], out LoadRow row))
            {
                Check(row);
                batch.Add(row, file, Line);
            }

            Line += rest[..length].Count((byte)'\n');
            _start += length;
            if (batch.Count == maxIncrements || batch.IsFull)
                return true;
        }

        return false;
    }

    /// <summary>How many bytes the first row has, with its line end; 0 when it is not there whole.</summary>
    protected abstract int Cut(ReadOnlySpan<byte> rest, bool isLast);

    /// <summary>Reads the row that was cut.</summary>
    /// <returns>False when it holds no increment.</returns>
    protected abstract bool TryRead(ReadOnlySpan<byte> text, out LoadRow row);

    /// <summary>The failure of the current row.</summary>
    protected CommandException Refuse(string field, string value, string allowed) =>
        new($"{file} line {Line}: {field} is {Problem.Shorten(value)}; allowed: {allowed}");

    /// <summary>The failure of the current row.</summary>
    protected CommandException Refuse(string field, ReadOnlySpan<byte> value, string allowed) => Refuse(field, Encoding.UTF8.GetString(value), allowed);

    /// <summary>Reads a delta that is written in digits.</summary>
    protected long ReadDelta(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out long delta, out int used) && used == text.Length ? delta : throw Refuse("delta", text, DeltaForm);

    private void Check(in LoadRow row)
    {
        if (CounterName.Check(row.Name) is { } refused)
            throw Refuse(refused.Field, refused.Value, refused.Allowed);
        if (row.Element.Length > EngineLimits.MaxElementBytes || !Utf8.IsValid(row.Element))
            throw Refuse("element", row.Element, ElementForm);
        if (row.Delta is < -EngineLimits.MaxDelta or > EngineLimits.MaxDelta)
            throw Refuse("delta", $"{row.Delta}", DeltaForm);
    }
}
