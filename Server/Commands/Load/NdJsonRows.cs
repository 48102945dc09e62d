using System.Text;
using System.Text.Json;
using Sketch.Engine;

namespace Sketch.Server.Commands.Load;

/// <summary>
/// Lines of {"name","delta","element"}, as the REST door takes them; delta may be digits in quotes, as ClickHouse's JSONEachRow can write it. Empty lines are
/// left out.
/// </summary>
internal sealed class NdJsonRows(Stream stream, string file) : RowSource(stream, file)
{
    private const string Form = """an object {"name","delta"} or {"name","element"} a line""";
    private const int MaxEscaped = 6;

    private readonly byte[] _name = new byte[MaxEscaped * EngineLimits.MaxNameBytes];
    private readonly byte[] _element = new byte[MaxEscaped * EngineLimits.MaxElementBytes];

    /// <inheritdoc/>
    protected override int Cut(ReadOnlySpan<byte> rest, bool isLast)
    {
        int line = rest.IndexOf((byte)'\n');
        return line >= 0 ? line + 1 : isLast ? rest.Length : 0;
    }

    /// <inheritdoc/>
    protected override bool TryRead(ReadOnlySpan<byte> text, out LoadRow row)
    {
        row = default;
        text = text.Trim(" \t\r\n"u8);
        if (text.IsEmpty)
            return false;
        Utf8JsonReader reader = new(text);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Refuse("row", text, Form);
            row = ReadMembers(ref reader);
            reader.Read();
        }
        catch (JsonException failure)
        {
            throw Refuse("row", $"not JSON at byte {failure.BytePositionInLine + 1}", Form);
        }

        return true;
    }

    private LoadRow ReadMembers(scoped ref Utf8JsonReader reader)
    {
        LoadRow row = default;
        int seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            LoadRow.Part part = LoadRow.PartOf(reader.ValueSpan) ?? throw Refuse("member", reader.ValueSpan, LoadRow.Columns);
            if ((seen & (1 << (int)part)) != 0)
                throw Refuse("member", reader.ValueSpan, $"one of {LoadRow.Columns} for each of name, delta and element");
            seen |= 1 << (int)part;
            reader.Read();
            if (part == LoadRow.Part.Name)
                row.Name = ReadText(ref reader, "name", _name);
            else if (part == LoadRow.Part.Element)
                row.Element = ReadText(ref reader, "element", _element);
            else
                row.Delta = reader.TokenType is JsonTokenType.Number or JsonTokenType.String ? ReadDelta(reader.ValueSpan) : throw Refuse("delta", Token(ref reader), DeltaForm);
        }

        if ((seen & (1 << (int)LoadRow.Part.Name)) == 0)
            throw Refuse("name", "missing", $"one of {LoadRow.NameColumns}");
        if ((seen & (1 << (int)LoadRow.Part.Element)) != 0 && row.Element.IsEmpty)
            throw Refuse("element", "", $"1 to {EngineLimits.MaxElementBytes} bytes of UTF-8");
        return row;
    }

    private ReadOnlySpan<byte> ReadText(scoped ref Utf8JsonReader reader, string member, byte[] unescaped)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw Refuse(member, Token(ref reader), "a string");
        if (reader.ValueSpan.Length > unescaped.Length)
            throw Refuse(member, reader.ValueSpan, $"at most {unescaped.Length / MaxEscaped} bytes");
        try
        {
            return unescaped.AsSpan(0, reader.CopyString(unescaped));
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, written \ud800, is JSON but not text; nor is what is not UTF-8.
            throw Refuse(member, reader.ValueSpan, "a string of whole characters");
        }
    }

    private static string Token(scoped ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? reader.TokenType.ToString() : Encoding.UTF8.GetString(reader.ValueSpan);
}
