using Sketch.Engine;

namespace Sketch.Server.Commands.Load;

/// <summary>
/// Rows of a CSV file (RFC 4180): a first row of column names, then an increment a row. An empty delta or element means that there is none. ClickHouse's
/// CSVWithNames is read as it is.
/// </summary>
internal sealed class CsvRows(Stream stream, string file) : RowSource(stream, file)
{
    private const byte Quote = (byte)'"';
    private const byte Comma = (byte)',';

    private readonly List<(int Start, int Length, bool IsEscaped)> _fields = [];
    private readonly byte[] _name = new byte[2 * EngineLimits.MaxNameBytes];
    private readonly byte[] _element = new byte[2 * EngineLimits.MaxElementBytes];
    private LoadRow.Part[]? _columns;

    /// <inheritdoc/>
    protected override int Cut(ReadOnlySpan<byte> rest, bool isLast)
    {
        _fields.Clear();
        int at = 0;
        while (true)
        {
            int length = at < rest.Length && rest[at] == Quote ? Quoted(rest, at, isLast) : Plain(rest, at, isLast);
            if (length < 0)
                return 0;
            at += length;
            if (at == rest.Length)
                return at;
            if (rest[at++] == (byte)'\n')
                return at;
        }
    }

    /// <inheritdoc/>
    protected override bool TryRead(ReadOnlySpan<byte> text, out LoadRow row)
    {
        row = default;
        if (_fields.Count == 1 && _fields[0].Length == 0)
            return false;
        if (_columns is null)
        {
            _columns = ReadColumns(text);
            return false;
        }

        if (_fields.Count != _columns.Length)
            throw Refuse("row", $"of {_fields.Count} fields", $"{_columns.Length} fields, as the first row has");
        for (int i = 0; i < _columns.Length; i++)
        {
            if (_columns[i] == LoadRow.Part.Name)
                row.Name = Value(text, i, _name);
            else if (_columns[i] == LoadRow.Part.Element)
                row.Element = Value(text, i, _element);
            else if (_fields[i].Length > 0)
                row.Delta = ReadDelta(text.Slice(_fields[i].Start, _fields[i].Length));
        }

        return true;
    }

    private LoadRow.Part[] ReadColumns(ReadOnlySpan<byte> text)
    {
        List<LoadRow.Part> columns = [];
        foreach ((int start, int length, _) in _fields)
        {
            ReadOnlySpan<byte> column = text.Slice(start, length);
            LoadRow.Part part = LoadRow.PartOf(column) ?? throw Refuse("column", column, LoadRow.Columns);
            if (columns.Contains(part))
                throw Refuse("column", column, $"one of {LoadRow.Columns} for each of name, delta and element");
            columns.Add(part);
        }

        return columns.Contains(LoadRow.Part.Name) ? [.. columns] : throw Refuse("columns", text.TrimEnd("\r\n"u8), $"one of {LoadRow.NameColumns}, and others of {LoadRow.Columns}");
    }

    // Up to the comma or line end, or to the end of the file; -1 when there is none yet.
    private int Plain(ReadOnlySpan<byte> rest, int start, bool isLast)
    {
        int length = rest[start..].IndexOfAny(Comma, (byte)'\n');
        if (length < 0 && !isLast)
            return -1;
        length = length < 0 ? rest.Length - start : length;
        bool endsLine = start + length == rest.Length || rest[start + length] == (byte)'\n';
        ReadOnlySpan<byte> field = rest.Slice(start, endsLine && length > 0 && rest[start + length - 1] == (byte)'\r' ? length - 1 : length);
        if (field.Contains(Quote))
            throw Refuse("field", field, "fields with a quote in them stand in quotes, with the quote doubled");
        _fields.Add((start, field.Length, false));
        return length;
    }

    private int Quoted(ReadOnlySpan<byte> rest, int start, bool isLast)
    {
        bool isEscaped = false;
        int at = start + 1;
        while (true)
        {
            int quote = rest[at..].IndexOf(Quote);
            if (quote < 0)
                return isLast ? throw Refuse("field", rest[start..], "a quote that opens a field is closed") : -1;
            at += quote + 1;
            if (at == rest.Length && !isLast)
                return -1;
            if (at == rest.Length || rest[at] != Quote)
                break;
            isEscaped = true;
            at++;
        }

        _fields.Add((start + 1, at - start - 2, isEscaped));
        if (at + 1 == rest.Length && rest[at] == (byte)'\r' && !isLast)
            return -1;
        if (at < rest.Length && rest[at] == (byte)'\r')
            at++;
        return at == rest.Length || rest[at] is Comma or (byte)'\n'
            ? at - start
            : throw Refuse("field", rest.Slice(start, at - start + 1), "a comma or a line end after a field in quotes");
    }

    private ReadOnlySpan<byte> Value(ReadOnlySpan<byte> text, int column, byte[] unescaped)
    {
        (int start, int length, bool isEscaped) = _fields[column];
        ReadOnlySpan<byte> value = text.Slice(start, length);
        // Longer than any name is even with each second quote left out: refused by its length.
        if (!isEscaped || length > unescaped.Length)
            return value;
        int used = 0;
        for (int i = 0; i < value.Length; i++)
        {
            unescaped[used++] = value[i];
            i += value[i] == Quote ? 1 : 0;
        }

        return unescaped.AsSpan(0, used);
    }
}
