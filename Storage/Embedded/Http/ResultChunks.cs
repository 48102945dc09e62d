namespace Sketch.Storage.Embedded.Http;

/// <summary>
/// The engine formats every chunk of a streamed result as a document of its own, header and all. Formats whose documents can be put
/// behind each other are streamed, those with a header lose it from the second chunk on, and the rest is made in one piece.
/// </summary>
internal static class ResultChunks
{
    private static readonly HashSet<string> Plain = new(StringComparer.Ordinal)
    {
        "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "Raw", "CSV", "TSKV", "LineAsString", "RawBLOB", "Null",
        "JSONEachRow", "JSONLines", "NDJSON", "JSONStringsEachRow", "JSONCompactEachRow", "JSONCompactStringsEachRow", "RowBinary", "Native", "MsgPack",
    };

    /// <summary>Formats that begin with this many lines.</summary>
    private static readonly Dictionary<string, int> HeaderLines = new(StringComparer.Ordinal)
    {
        ["TabSeparatedWithNames"] = 1,
        ["TSVWithNames"] = 1,
        ["CSVWithNames"] = 1,
        ["JSONCompactEachRowWithNames"] = 1,
        ["TabSeparatedWithNamesAndTypes"] = 2,
        ["TSVWithNamesAndTypes"] = 2,
        ["CSVWithNamesAndTypes"] = 2,
        ["JSONCompactEachRowWithNamesAndTypes"] = 2,
    };

    /// <summary>True when a result in this format can be sent chunk by chunk.</summary>
    public static bool CanStream(string format, string sql, IReadOnlyDictionary<string, string> settings) =>
        (Plain.Contains(format) || HeaderLines.ContainsKey(format) || BinaryHeaderParts(format) > 0)
        // These add a beginning or an end to the whole.
        && !Mentions(sql, settings, "totals") && !Mentions(sql, settings, "extremes") && !Mentions(sql, settings, "output_format_json_array_of_rows");

    /// <summary>How many bytes of a chunk are its header.</summary>
    public static int HeaderLength(string format, ReadOnlySpan<byte> chunk) =>
        HeaderLines.TryGetValue(format, out int lines) ? Lines(chunk, lines, quotes: format[0] == 'C') : BinaryHeader(chunk, BinaryHeaderParts(format));

    private static bool Mentions(string sql, IReadOnlyDictionary<string, string> settings, string word) =>
        settings.ContainsKey(word) || sql.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static int BinaryHeaderParts(string format) => format switch
    {
        "RowBinaryWithNames" => 1,
        "RowBinaryWithNamesAndTypes" => 2,
        _ => 0,
    };

    private static int Lines(ReadOnlySpan<byte> chunk, int count, bool quotes)
    {
        bool quoted = false;
        for (int i = 0; i < chunk.Length; i++)
        {
            quoted ^= quotes && chunk[i] == '"';
            if (chunk[i] == '\n' && !quoted && --count == 0)
            {
                return i + 1;
            }
        }

        return chunk.Length;
    }

    /// <summary>Number of columns, then their names, then perhaps their types.</summary>
    private static int BinaryHeader(ReadOnlySpan<byte> chunk, int parts)
    {
        if (parts == 0)
        {
            return 0;
        }

        int at = 0;
        int texts = VarUInt(chunk, ref at) * parts;
        for (int i = 0; i < texts; i++)
        {
            int length = VarUInt(chunk, ref at);
            at += length;
        }

        return at;
    }

    private static int VarUInt(ReadOnlySpan<byte> bytes, ref int at)
    {
        int value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = bytes[at++];
            value |= (part & 0x7F) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
