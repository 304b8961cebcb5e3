<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="vi" sourcelanguage="en">
<context>
    <name>AdaptersCard</name>
    <message>
        <source>Beside LoRA and QLoRA</source>
        <translation>So với LoRA và QLoRA</translation>
    </message>
    <message>
        <source>Full fine-tuning</source>
        <translation>Tinh chỉnh toàn bộ</translation>
    </message>
    <message>
        <source>LoRA</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>QLoRA</source>
        <translation>QLoRA</translation>
    </message>
    <message>
        <source>Over all GPUs, before activations, which all three need alike. Luthier trains all parameters.</source>
        <translation>Trên mọi GPU, chưa tính activation mà cả ba đều cần như nhau. Luthier huấn luyện mọi tham số.</translation>
    </message>
    <message>
        <source>{} parameters × {} bytes</source>
        <translation>{} tham số × {} byte</translation>
    </message>
    <message>
        <source>{} of rank {} × {} bytes</source>
        <translation>{} hạng {} × {} byte</translation>
    </message>
    <message>
        <source>{} × {} bytes</source>
        <translation>{} × {} byte</translation>
    </message>
    <message>
        <source>{} × {} bits</source>
        <translation>{} × {} bit</translation>
    </message>
</context>
<context>
    <name>AheadRow</name>
    <message>
        <source>Prepare the node while I edit</source>
        <translation>Chuẩn bị nút trong lúc tôi soạn</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Cancel what is on the way to the node</source>
        <translation>Hủy những gì đang được gửi tới nút</translation>
    </message>
    <message>
        <source>What is on the way to the node</source>
        <translation>Những gì đang được gửi tới nút</translation>
    </message>
    <message>
        <source>Once the node has stood chosen for some seconds and the checks hold, model and data travel there and the environment is built; a launch takes over what is under way.</source>
        <translation>Khi nút đã được chọn vài giây và các phép kiểm đều đạt, mô hình và dữ liệu được gửi tới đó và môi trường được dựng; lần chạy sẽ tiếp nhận những gì đang dở.</translation>
    </message>
</context>
<context>
    <name>Alerts</name>
    <message>
        <source>since step {step}, {clock}</source>
        <translation>từ bước {step}, {clock}</translation>
    </message>
    <message>
        <source>rows {rows} and {count} more</source>
        <translation>các dòng {rows} và {count} dòng nữa</translation>
    </message>
    <message>
        <source>rows {rows}</source>
        <translation>các dòng {rows}</translation>
    </message>
    <message>
        <source>and {count} more</source>
        <translation>và {count} nữa</translation>
    </message>
    <message>
        <source>Ignore</source>
        <translation>Bỏ qua</translation>
    </message>
    <message>
        <source>Put this alert away until it comes again</source>
        <translation>Cất cảnh báo này đi cho đến khi nó xuất hiện lại</translation>
    </message>
    <message>
        <source>Stop…</source>
        <translation>Dừng…</translation>
    </message>
    <message>
        <source>Save now</source>
        <translation>Lưu ngay</translation>
    </message>
    <message>
        <source>Go back, lower rate</source>
        <translation>Quay lại, giảm tốc độ học</translation>
    </message>
    <message>
        <source>Go back, skip its rows</source>
        <translation>Quay lại, bỏ các dòng đó</translation>
    </message>
    <message>
        <source>Where the ranks stand…</source>
        <translation>Các tiến trình đang ở đâu…</translation>
    </message>
</context>
<context>
    <name>BatchingBars</name>
    <message>
        <source>{name}: {sequences} sequences hold {held} tokens, {tokens} of them of rows. {what}</source>
        <translation>{name}: {sequences} chuỗi chứa {held} token, trong đó {tokens} là của các dòng. {what}</translation>
    </message>
    <message>
        <source>Packed</source>
        <translation>Ghép chuỗi</translation>
    </message>
    <message>
        <source>Padding-free</source>
        <translation>Không đệm</translation>
    </message>
    <message>
        <source>Padded</source>
        <translation>Có đệm</translation>
    </message>
    <message>
        <source>Rows share sequences, each blind to the others.</source>
        <translation>Các dòng dùng chung chuỗi, dòng này không nhìn thấy dòng kia.</translation>
    </message>
    <message>
        <source>The rows of a micro batch are joined; none is cut or shared.</source>
        <translation>Các dòng của một micro batch được nối lại; không dòng nào bị cắt hay chia.</translation>
    </message>
    <message>
        <source>Rows of like length stand together, filled up to the longest.</source>
        <translation>Các dòng dài gần nhau đứng cùng nhau, được đệm cho bằng dòng dài nhất.</translation>
    </message>
    <message>
        <source>{} padding</source>
        <translation>{} phần đệm</translation>
    </message>
</context>
<context>
    <name>ChangeDialog</name>
    <message>
        <source>Change the rest of the run</source>
        <translation>Thay đổi phần còn lại của lượt chạy</translation>
    </message>
    <message>
        <source>Ends after</source>
        <translation>Kết thúc sau</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Tốc độ học</translation>
    </message>
    <message>
        <source>Evaluates every</source>
        <translation>Đánh giá sau mỗi</translation>
    </message>
    <message>
        <source>In force from the update after the node has taken it; the journal and the exported run hold it. A later end stretches the schedule from there on. An evaluation interval of 0 evaluates only at the end.</source>
        <translation>Có hiệu lực từ lần cập nhật sau khi máy chạy nhận; sổ ghi và lượt chạy xuất ra đều giữ lại. Kết thúc muộn hơn thì lịch trình được kéo dài từ đó. Khoảng đánh giá bằng 0 là chỉ đánh giá ở cuối.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Thay đổi</translation>
    </message>
</context>
<context>
    <name>ChangesDialog</name>
    <message>
        <source>What changed since the last launch</source>
        <translation>Những gì đã đổi từ lần khởi chạy trước</translation>
    </message>
    <message>
        <source>Field</source>
        <translation>Trường</translation>
    </message>
    <message>
        <source>At the last launch</source>
        <translation>Ở lần khởi chạy trước</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Hiện tại</translation>
    </message>
    <message>
        <source>Fields that were changed since the last launch</source>
        <translation>Các trường đã đổi từ lần khởi chạy trước</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Sao chép</translation>
    </message>
    <message>
        <source>Copy the changes</source>
        <translation>Sao chép các thay đổi</translation>
    </message>
    <message>
        <source>The job of this run is not in the library any more.</source>
        <translation>Công việc của lượt chạy này không còn trong thư viện.</translation>
    </message>
    <message>
        <source>{} was not launched yet.</source>
        <translation>{} chưa được khởi chạy lần nào.</translation>
    </message>
    <message>
        <source>The job of {} cannot be read.</source>
        <translation>Không đọc được công việc của {}.</translation>
    </message>
    <message>
        <source>{} field was changed</source>
        <translation>{} trường đã đổi</translation>
    </message>
    <message>
        <source>{} fields were changed</source>
        <translation>{} trường đã đổi</translation>
    </message>
    <message>
        <source>Nothing was changed</source>
        <translation>Không có gì thay đổi</translation>
    </message>
    <message>
        <source>{what} since {run} was launched on {time}.</source>
        <translation>{what} kể từ khi {run} được khởi chạy lúc {time}.</translation>
    </message>
</context>
<context>
    <name>ChannelsDialog</name>
    <message>
        <source>Where alerts are sent</source>
        <translation>Nơi gửi cảnh báo</translation>
    </message>
    <message>
        <source>The node sends an alert of a run to each of these, also while this computer is off: run, step, loss and time left, never a row of the data. One line a channel: a name, a colon, then ntfy, slack (also Mattermost and the like), telegram or command, and the address. Runs that are started or resumed from now on use them.</source>
        <translation>Máy chạy gửi cảnh báo của lượt chạy tới từng kênh này, kể cả khi máy này đã tắt: lượt chạy, bước, loss và thời gian còn lại, không bao giờ gửi dòng dữ liệu nào. Mỗi kênh một dòng: tên, dấu hai chấm, rồi ntfy, slack (cả Mattermost và tương tự), telegram hoặc command, và địa chỉ. Các lượt chạy được bắt đầu hoặc chạy tiếp từ bây giờ sẽ dùng chúng.</translation>
    </message>
    <message>
        <source>Channels</source>
        <translation>Kênh</translation>
    </message>
    <message>
        <source>Send a test message</source>
        <translation>Gửi tin thử</translation>
    </message>
    <message>
        <source>The chosen node sends it to every channel above, kept or not, as it would send an alert</source>
        <translation>Máy chạy đã chọn gửi nó đến mọi kênh ở trên, đã lưu hay chưa, đúng như khi gửi một cảnh báo</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Giữ</translation>
    </message>
    <message>
        <source>Sending…</source>
        <translation>Đang gửi…</translation>
    </message>
    <message>
        <source>Sent from {node} to {channels}.</source>
        <translation>Đã gửi từ {node} đến {channels}.</translation>
    </message>
    <message>
        <source>{channel} was not reached from {node}. {problem}</source>
        <translation>Không gửi được đến {channel} từ {node}. {problem}</translation>
    </message>
    <message>
        <source>Nothing was sent. {reason}</source>
        <translation>Chưa gửi gì. {reason}</translation>
    </message>
</context>
<context>
    <name>ChartCard</name>
    <message>
        <source>No figures yet.</source>
        <translation>Chưa có số liệu.</translation>
    </message>
    <message>
        <source>Copy as image</source>
        <translation>Sao chép thành ảnh</translation>
    </message>
    <message>
        <source>Picture (*.png)</source>
        <translation>Ảnh (*.png)</translation>
    </message>
    <message>
        <source>Drawing (*.svg)</source>
        <translation>Bản vẽ (*.svg)</translation>
    </message>
    <message>
        <source>Values as CSV (*.csv)</source>
        <translation>Giá trị dạng CSV (*.csv)</translation>
    </message>
    <message>
        <source>Values as Parquet (*.parquet)</source>
        <translation>Giá trị dạng Parquet (*.parquet)</translation>
    </message>
    <message>
        <source>Save the chart</source>
        <translation>Lưu biểu đồ</translation>
    </message>
    <message>
        <source>{path} cannot be written: {why}. Choose another folder.</source>
        <translation>Không ghi được {path}: {why}. Hãy chọn thư mục khác.</translation>
    </message>
    <message>
        <source>Copy as SVG</source>
        <translation>Sao chép dạng SVG</translation>
    </message>
    <message>
        <source>Copy values as CSV</source>
        <translation>Sao chép số liệu dạng CSV</translation>
    </message>
    <message>
        <source>Save as a file…</source>
        <translation>Lưu thành tệp…</translation>
    </message>
</context>
<context>
    <name>ChartLines</name>
    <message>
        <source>train, debiased EMA {weight}</source>
        <translation>huấn luyện, EMA đã hiệu chỉnh {weight}</translation>
    </message>
    <message>
        <source>train, every step</source>
        <translation>huấn luyện, từng bước</translation>
    </message>
    <message>
        <source>attempt {number}</source>
        <translation>lần thử {number}</translation>
    </message>
    <message>
        <source>held-out</source>
        <translation>tập giữ lại</translation>
    </message>
    <message>
        <source>plan</source>
        <translation>kế hoạch</translation>
    </message>
    <message>
        <source>fact</source>
        <translation>thực tế</translation>
    </message>
    <message>
        <source>before clipping</source>
        <translation>trước khi cắt</translation>
    </message>
    <message>
        <source>clip {norm}</source>
        <translation>cắt ở {norm}</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>đo được</translation>
    </message>
    <message>
        <source>k tokens/s</source>
        <translation>nghìn token/s</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>token/s</translation>
    </message>
    <message>
        <source>waiting for rows</source>
        <translation>chờ các dòng</translation>
    </message>
    <message>
        <source>forward</source>
        <translation>lượt xuôi</translation>
    </message>
    <message>
        <source>backward</source>
        <translation>lan truyền ngược</translation>
    </message>
    <message>
        <source>optimizer</source>
        <translation>bộ tối ưu</translation>
    </message>
    <message>
        <source>waiting for ranks</source>
        <translation>chờ các rank</translation>
    </message>
    <message>
        <source>predicted, estimated</source>
        <translation>dự đoán, ước tính</translation>
    </message>
</context>
<context>
    <name>Checklist</name>
    <message>
        <source>Steps of the launch</source>
        <translation>Các bước khởi chạy</translation>
    </message>
</context>
<context>
    <name>ClassBars</name>
    <message>
        <source>and {} more classes</source>
        <translation>và {} lớp nữa</translation>
    </message>
    <message>
        <source>{train} + {held_out} held out</source>
        <translation>{train} + {held_out} giữ lại</translation>
    </message>
</context>
<context>
    <name>CollectiveRow</name>
    <message>
        <source>Test processes</source>
        <translation>Thử các tiến trình</translation>
    </message>
    <message>
        <source>Test whether the processes work together</source>
        <translation>Thử xem các tiến trình có làm việc được với nhau không</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>{count} processes are summing for five seconds…</source>
        <translation>{count} tiến trình đang cộng trong năm giây…</translation>
    </message>
    <message>
        <source>Whether the {count} processes find each other can be tried in a few seconds.</source>
        <translation>Có thể thử trong vài giây xem {count} tiến trình có tìm thấy nhau không.</translation>
    </message>
    <message>
        <source>{count} processes found each other in {joined} s and sum at {rate}/s over {backend}.</source>
        <translation>{count} tiến trình tìm thấy nhau sau {joined} s và cộng với tốc độ {rate}/s qua {backend}.</translation>
    </message>
</context>
<context>
    <name>CommandPalette</name>
    <message>
        <source>What do you want to do?</source>
        <translation>Bạn muốn làm gì?</translation>
    </message>
    <message>
        <source>Search commands, jobs and runs</source>
        <translation>Tìm lệnh, công việc và lượt chạy</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Lệnh</translation>
    </message>
</context>
<context>
    <name>CompareDialog</name>
    <message>
        <source>Compare jobs</source>
        <translation>So sánh công việc</translation>
    </message>
    <message>
        <source>First job</source>
        <translation>Công việc thứ nhất</translation>
    </message>
    <message>
        <source>Second job</source>
        <translation>Công việc thứ hai</translation>
    </message>
    <message>
        <source>Field</source>
        <translation>Trường</translation>
    </message>
    <message>
        <source>Fields that differ between the two jobs</source>
        <translation>Các trường khác nhau giữa hai công việc</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Sao chép</translation>
    </message>
    <message>
        <source>Copy the differences</source>
        <translation>Sao chép các khác biệt</translation>
    </message>
    <message>
        <source>with</source>
        <translation>với</translation>
    </message>
    <message>
        <source>There is no job to compare yet.</source>
        <translation>Chưa có công việc nào để so sánh.</translation>
    </message>
    <message>
        <source>This is the same job twice; choose another one.</source>
        <translation>Đây là cùng một công việc hai lần; hãy chọn công việc khác.</translation>
    </message>
    <message>
        <source>{} field differs.</source>
        <translation>{} trường khác nhau.</translation>
    </message>
    <message>
        <source>{} fields differ.</source>
        <translation>{} trường khác nhau.</translation>
    </message>
    <message>
        <source>The two jobs are the same in every field.</source>
        <translation>Hai công việc giống nhau ở mọi trường.</translation>
    </message>
</context>
<context>
    <name>ComparePage</name>
    <message>
        <source>Compare</source>
        <translation>So sánh</translation>
    </message>
    <message>
        <source>Training loss</source>
        <translation>Loss huấn luyện</translation>
    </message>
    <message>
        <source>nats a token</source>
        <translation>nat mỗi token</translation>
    </message>
    <message>
        <source>Held-out loss</source>
        <translation>Loss trên tập giữ lại</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Tốc độ học</translation>
    </message>
    <message>
        <source>Gradient norm</source>
        <translation>Chuẩn gradient</translation>
    </message>
    <message>
        <source>Save a report…</source>
        <translation>Lưu báo cáo…</translation>
    </message>
    <message>
        <source>The first {shown} of {all} chosen runs.</source>
        <translation>{shown} lượt chạy đầu trong {all} lượt đã chọn.</translation>
    </message>
    <message>
        <source>The settings are the same.</source>
        <translation>Các thiết lập giống nhau.</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Kết quả</translation>
    </message>
    <message>
        <source>What differs</source>
        <translation>Những điểm khác nhau</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Lưu báo cáo</translation>
    </message>
    <message>
        <source>Web pages (*.html)</source>
        <translation>Trang web (*.html)</translation>
    </message>
    <message>
        <source>Training loss is smoothed (moving average, {weight}).</source>
        <translation>Loss huấn luyện được làm mượt (trung bình động, {weight}).</translation>
    </message>
</context>
<context>
    <name>Complaints</name>
    <message>
        <source>process {rank}</source>
        <translation>tiến trình {rank}</translation>
    </message>
    <message>
        <source>and {count} earlier</source>
        <translation>và {count} lần trước đó</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>Bỏ qua</translation>
    </message>
    <message>
        <source>Put this complaint away</source>
        <translation>Cất cảnh báo này đi</translation>
    </message>
</context>
<context>
    <name>ConfigPage</name>
    <message>
        <source>Config</source>
        <translation>Cấu hình</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Xuất…</translation>
    </message>
    <message>
        <source>Export the run to a folder</source>
        <translation>Xuất lượt chạy ra một thư mục</translation>
    </message>
    <message>
        <source>Pack model and data</source>
        <translation>Gói kèm mô hình và dữ liệu</translation>
    </message>
    <message>
        <source>Copies the inputs into the bundle, so that it reruns where they do not lie.</source>
        <translation>Sao chép đầu vào vào gói, để gói chạy lại được cả ở nơi không có sẵn chúng.</translation>
    </message>
    <message>
        <source>on {node}</source>
        <translation>trên {node}</translation>
    </message>
    <message>
        <source>{parameters} parameters, {processes} processes, {sequences} sequences</source>
        <translation>{parameters} tham số, {processes} tiến trình, {sequences} chuỗi</translation>
    </message>
    <message>
        <source>Folder for the bundle</source>
        <translation>Thư mục cho gói</translation>
    </message>
    <message>
        <source>Differs from the defaults</source>
        <translation>Khác với mặc định</translation>
    </message>
    <message>
        <source>Fields that differ from their defaults</source>
        <translation>Các trường khác với mặc định</translation>
    </message>
    <message>
        <source>Field</source>
        <translation>Trường</translation>
    </message>
    <message>
        <source>This run</source>
        <translation>Lượt chạy này</translation>
    </message>
    <message>
        <source>Default</source>
        <translation>Mặc định</translation>
    </message>
    <message>
        <source>The job as the node has it</source>
        <translation>Công việc đúng như máy chạy đang giữ</translation>
    </message>
    <message>
        <source>The job file</source>
        <translation>Tệp công việc</translation>
    </message>
</context>
<context>
    <name>ControlBar</name>
    <message>
        <source>How the charts are drawn</source>
        <translation>Cách vẽ biểu đồ</translation>
    </message>
    <message>
        <source>Log loss</source>
        <translation>Loss theo thang logarit</translation>
    </message>
    <message>
        <source>Loss and perplexity on a logarithmic axis</source>
        <translation>Loss và perplexity trên trục logarit</translation>
    </message>
    <message>
        <source>Clip outliers</source>
        <translation>Cắt giá trị ngoại lai</translation>
    </message>
    <message>
        <source>The y axes span the middle 98 % of the values; what lies outside is cut off</source>
        <translation>Các trục y trải theo 98 % giá trị ở giữa; phần nằm ngoài bị cắt bỏ</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>Biểu đồ</translation>
    </message>
    <message>
        <source>Choose which charts are shown</source>
        <translation>Chọn biểu đồ nào được hiện</translation>
    </message>
    <message>
        <source>X axis</source>
        <translation>Trục X</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>Làm mượt</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Các bước</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>Epoch</translation>
    </message>
    <message>
        <source>Wall time</source>
        <translation>Thời gian thực</translation>
    </message>
    <message>
        <source>Exponential moving average, corrected for its start (debiased); the line of every step stays behind</source>
        <translation>Trung bình động hàm mũ, đã hiệu chỉnh phần khởi đầu (debiased); đường của từng bước vẫn nằm phía sau</translation>
    </message>
    <message>
        <source>none</source>
        <translation>không có</translation>
    </message>
</context>
<context>
    <name>ConversationView</name>
    <message>
        <source>Conversation of the row</source>
        <translation>Hội thoại của dòng</translation>
    </message>
    <message>
        <source>Functions that may be called: {names}</source>
        <translation>Các hàm có thể gọi: {names}</translation>
    </message>
    <message>
        <source>{role}  ·  not trained</source>
        <translation>{role}  ·  không học</translation>
    </message>
    <message>
        <source>{role}  ·  weight {weight}</source>
        <translation>{role}  ·  trọng số {weight}</translation>
    </message>
</context>
<context>
    <name>CostCard</name>
    <message>
        <source>Time and cost</source>
        <translation>Thời gian và chi phí</translation>
    </message>
    <message>
        <source>Price of a GPU and hour in dollars</source>
        <translation>Giá một GPU mỗi giờ tính bằng đô la</translation>
    </message>
    <message>
        <source>no price</source>
        <translation>chưa có giá</translation>
    </message>
    <message>
        <source>$ a GPU and hour</source>
        <translation>$ mỗi GPU mỗi giờ</translation>
    </message>
    <message>
        <source>An update</source>
        <translation>Một lần cập nhật</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>The run</source>
        <translation>Lượt chạy</translation>
    </message>
    <message>
        <source>Price</source>
        <translation>Giá</translation>
    </message>
    <message>
        <source>Energy</source>
        <translation>Năng lượng</translation>
    </message>
    <message>
        <source>The model&apos;s type has no formula, so that no time follows from its sizes.</source>
        <translation>Loại mô hình này không có công thức, nên không suy ra được thời gian từ kích thước.</translation>
    </message>
    <message>
        <source>Choose a kind of GPU above: the node&apos;s is not known or not in the table.</source>
        <translation>Hãy chọn loại GPU ở trên: loại của máy chạy chưa biết hoặc không có trong bảng.</translation>
    </message>
    <message>
        <source>A CPU&apos;s speed stands in no table; after the first run on this node, a memory probe for instance, time stands here.</source>
        <translation>Tốc độ CPU không có trong bảng nào; sau lượt chạy đầu tiên trên máy này, chẳng hạn một lần đo bộ nhớ, thời gian sẽ hiện ở đây.</translation>
    </message>
    <message>
        <source>The table has no speed of this GPU in the job&apos;s precision.</source>
        <translation>Bảng không có tốc độ của GPU này ở độ chính xác của công việc.</translation>
    </message>
    <message>
        <source>From the speed of {} on this node.</source>
        <translation>Theo tốc độ của {} trên máy chạy này.</translation>
    </message>
    <message>
        <source>A roofline; assumed is that {} to {} of the peak are reached, {} likely.</source>
        <translation>Mô hình roofline; giả định đạt từ {} đến {} của đỉnh, nhiều khả năng là {}.</translation>
    </message>
    <message>
        <source>The run&apos;s length is known once the data was looked at.</source>
        <translation>Độ dài lượt chạy sẽ biết sau khi xem dữ liệu.</translation>
    </message>
    <message>
        <source>Training alone, without preparing, evaluating and saving.</source>
        <translation>Chỉ tính huấn luyện, không tính chuẩn bị, đánh giá và lưu.</translation>
    </message>
    <message>
        <source>Price: {}.</source>
        <translation>Giá: {}.</translation>
    </message>
</context>
<context>
    <name>CurveBar</name>
    <message>
        <source>What the axis counts</source>
        <translation>Trục đếm theo gì</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Log</translation>
    </message>
    <message>
        <source>Logarithmic learning rate</source>
        <translation>Tốc độ học theo thang logarit</translation>
    </message>
    <message>
        <source>Draw the learning rate on a logarithmic axis</source>
        <translation>Vẽ tốc độ học trên trục logarit</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Ghim</translation>
    </message>
    <message>
        <source>Pin this curve</source>
        <translation>Ghim đường cong này</translation>
    </message>
    <message>
        <source>Keep this curve on the plot and change the job beside it; up to {}</source>
        <translation>Giữ đường cong này trên biểu đồ và thay đổi công việc bên cạnh nó; tối đa {}</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Bỏ ghim</translation>
    </message>
    <message>
        <source>Take pinned curves away</source>
        <translation>Gỡ các đường cong đã ghim</translation>
    </message>
    <message>
        <source>Remove the point</source>
        <translation>Xóa điểm này</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Tất cả</translation>
    </message>
</context>
<context>
    <name>DataPage</name>
    <message>
        <source>Data</source>
        <translation>Dữ liệu</translation>
    </message>
    <message>
        <source>Rows to learn from</source>
        <translation>Những dòng để học</translation>
    </message>
    <message>
        <source>Choose a JSON, JSONL, CSV, Parquet or text file, a folder of such, or a data set of the Hub. Here you then see every row as it will be trained, down to the token, before anything is sent anywhere.</source>
        <translation>Hãy chọn một tệp JSON, JSONL, CSV, Parquet hoặc văn bản, một thư mục gồm các tệp như vậy, hoặc một tập dữ liệu trên Hub. Tại đây bạn sẽ thấy từng dòng đúng như khi huấn luyện, đến từng token, trước khi bất cứ thứ gì được gửi đi.</translation>
    </message>
    <message>
        <source>Choose data…</source>
        <translation>Chọn dữ liệu…</translation>
    </message>
    <message>
        <source>Choose data</source>
        <translation>Chọn dữ liệu</translation>
    </message>
</context>
<context>
    <name>DataPicker</name>
    <message>
        <source>Training data</source>
        <translation>Dữ liệu huấn luyện</translation>
    </message>
    <message>
        <source>Another source</source>
        <translation>Thêm một nguồn</translation>
    </message>
    <message>
        <source>Training data on this computer</source>
        <translation>Dữ liệu huấn luyện trên máy này</translation>
    </message>
    <message>
        <source>Use this data</source>
        <translation>Dùng dữ liệu này</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Máy này</translation>
    </message>
    <message>
        <source>Hub</source>
        <translation>Hub</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Where the data lies</source>
        <translation>Nơi chứa dữ liệu</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Các dòng</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>Tất cả tệp (*)</translation>
    </message>
    <message>
        <source>JSON, JSONL, CSV, TSV, Parquet, Arrow, text or Markdown, also .gz and .zst, one file or a folder of them. It stays here until the launch sends it.</source>
        <translation>JSON, JSONL, CSV, TSV, Parquet, Arrow, văn bản hoặc Markdown, kể cả .gz và .zst, một tệp hoặc cả thư mục. Dữ liệu ở lại đây cho đến khi được gửi lúc khởi chạy.</translation>
    </message>
    <message>
        <source>Choose a node first; then its folders appear here.</source>
        <translation>Hãy chọn máy chạy trước; khi đó các thư mục của máy ấy hiện ra ở đây.</translation>
    </message>
    <message>
        <source>A data set of the Hub. Its rows are fetched by the chosen node (or this computer) and kept there; the revision is pinned to its commit.</source>
        <translation>Một tập dữ liệu trên Hub. Các dòng do máy chạy đã chọn (hoặc máy này) tải về và giữ tại đó; bản sửa đổi được ghim vào commit của nó.</translation>
    </message>
    <message>
        <source>owner/name</source>
        <translation>chủ/tên</translation>
    </message>
    <message>
        <source>Name on the Hub</source>
        <translation>Tên trên Hub</translation>
    </message>
    <message>
        <source>Use this data set</source>
        <translation>Dùng tập dữ liệu này</translation>
    </message>
    <message>
        <source>Write the name as the Hub shows it, such as owner/name.</source>
        <translation>Hãy viết tên như Hub hiển thị, chẳng hạn owner/name.</translation>
    </message>
    <message>
        <source>Held-out file</source>
        <translation>Tệp giữ lại</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Tệp…</translation>
    </message>
    <message>
        <source>Choose a held-out file</source>
        <translation>Chọn tệp giữ lại (held-out)</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Không có</translation>
    </message>
    <message>
        <source>Use no held-out file</source>
        <translation>Không dùng tệp giữ lại</translation>
    </message>
    <message>
        <source>none: a share of the rows is set aside</source>
        <translation>không có: một phần số dòng được để riêng ra</translation>
    </message>
    <message>
        <source>Held-out data</source>
        <translation>Dữ liệu giữ lại (held-out)</translation>
    </message>
</context>
<context>
    <name>DataView</name>
    <message>
        <source>Findings</source>
        <translation>Phát hiện</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Các bước</translation>
    </message>
    <message>
        <source>Reading</source>
        <translation>Cách đọc</translation>
    </message>
    <message>
        <source>Findings, steps, reading</source>
        <translation>Phát hiện, các bước, cách đọc</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Lưu báo cáo</translation>
    </message>
    <message>
        <source>Web pages (*.html)</source>
        <translation>Trang web (*.html)</translation>
    </message>
    <message>
        <source>Rows, lengths, findings</source>
        <translation>Các dòng, độ dài, phát hiện</translation>
    </message>
</context>
<context>
    <name>DeleteDialog</name>
    <message>
        <source>Delete runs</source>
        <translation>Xóa lượt chạy</translation>
    </message>
    <message>
        <source>Asking the nodes what it frees…</source>
        <translation>Đang hỏi các máy chạy xem giải phóng được bao nhiêu…</translation>
    </message>
    <message>
        <source>Delete here</source>
        <translation>Xóa ở đây</translation>
    </message>
    <message>
        <source>Delete here and on the nodes</source>
        <translation>Xóa ở đây và trên các máy chạy</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Deleted here only, the folders with the checkpoints stay on the nodes, and can be found there again.</source>
        <translation>Nếu chỉ xóa ở đây, các thư mục chứa checkpoint vẫn ở trên máy chạy và có thể được tìm thấy lại.</translation>
    </message>
    <message>
        <source>{} of them still goes on; it is not stopped.</source>
        <translation>{} lượt trong số đó vẫn đang chạy; nó không bị dừng.</translation>
    </message>
    <message>
        <source>{} of them still go on; they are not stopped.</source>
        <translation>{} lượt trong số đó vẫn đang chạy; chúng không bị dừng.</translation>
    </message>
    <message>
        <source>Delete {} run?</source>
        <translation>Xóa {} lượt chạy?</translation>
    </message>
    <message>
        <source>Delete {} runs?</source>
        <translation>Xóa {} lượt chạy?</translation>
    </message>
    <message>
        <source>This frees {} in the library here.</source>
        <translation>Giải phóng {} trong thư viện ở đây.</translation>
    </message>
    <message>
        <source>On {node}: {size}.</source>
        <translation>Trên {node}: {size}.</translation>
    </message>
    <message>
        <source>{} did not answer; nothing can be deleted there now, and its runs would stay here too.</source>
        <translation>{} không trả lời; hiện không xóa được gì ở đó, và các lượt chạy của nó cũng sẽ ở lại đây.</translation>
    </message>
</context>
<context>
    <name>DescribedForm</name>
    <message>
        <source>Row numbers, counted from 1 over all sources, one a line.</source>
        <translation>Số thứ tự dòng, đếm từ 1 qua mọi nguồn, mỗi số một hàng.</translation>
    </message>
    <message>
        <source>The least is {}.</source>
        <translation>Ít nhất là {}.</translation>
    </message>
    <message>
        <source>The most is {}.</source>
        <translation>Nhiều nhất là {}.</translation>
    </message>
    <message>
        <source>It has to be more than {}.</source>
        <translation>Phải lớn hơn {}.</translation>
    </message>
</context>
<context>
    <name>EnvironmentCard</name>
    <message>
        <source>Environment</source>
        <translation>Môi trường</translation>
    </message>
    <message>
        <source>Build environment</source>
        <translation>Dựng môi trường</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Cancel the build of the environment</source>
        <translation>Hủy việc dựng môi trường</translation>
    </message>
    <message>
        <source>Steps of the build</source>
        <translation>Các bước dựng</translation>
    </message>
    <message>
        <source>The node has no Python that trains yet.</source>
        <translation>Máy chưa có Python nào huấn luyện được.</translation>
    </message>
    <message>
        <source>{path} lacks {names}.</source>
        <translation>{path} thiếu {names}.</translation>
    </message>
    <message>
        <source>{path} has everything that training needs; nothing has to be built.</source>
        <translation>{path} có đủ mọi thứ cần cho huấn luyện; không phải dựng gì.</translation>
    </message>
    <message>
        <source>A build fetches {count} packages with fixed hashes, {size}: Python {python}, torch {torch}. While it goes on it takes about {room} of the {free} that are free (estimated).</source>
        <translation>Việc dựng tải {count} gói có mã băm cố định, {size}: Python {python}, torch {torch}. Trong lúc dựng cần khoảng {room} trong {free} còn trống (ước tính).</translation>
    </message>
    <message>
        <source>The torch of {path} is used as it is, and what lies there in the same version is not fetched.</source>
        <translation>torch của {path} được dùng nguyên như vậy, và những gói đã có cùng phiên bản ở đó không phải tải về.</translation>
    </message>
    <message>
        <source>The node has no way to the package index, so this computer fetches and sends them.</source>
        <translation>Máy không tới được kho gói, nên máy tính này tải về và gửi đi.</translation>
    </message>
    <message>
        <source>These versions fit by what they declare; this very set has not been run yet.</source>
        <translation>Các phiên bản này hợp nhau theo khai báo của chúng; chính bộ này chưa từng được chạy.</translation>
    </message>
</context>
<context>
    <name>ExamplesCard</name>
    <message>
        <source>For orientation</source>
        <translation>Để dễ hình dung</translation>
    </message>
    <message>
        <source>70B, AdamW, bf16 with fp32 master weights: 16 bytes a parameter, {} GB of states in all.</source>
        <translation>70B, AdamW, bf16 với trọng số gốc fp32: 16 byte mỗi tham số, tổng cộng {} GB trạng thái.</translation>
    </message>
    <message>
        <source>On 8 GPUs under ZeRO 3 that is {} GB each, more than 80 GB cards hold; offloading the optimizer moves {} GB to the host.</source>
        <translation>Trên 8 GPU với ZeRO 3, mỗi GPU giữ {} GB, nhiều hơn sức chứa của card 80 GB; chuyển bộ tối ưu sang CPU đưa {} GB sang máy chủ.</translation>
    </message>
    <message>
        <source>With the processes and what loading takes, that host then holds about {} GB.</source>
        <translation>Cùng với các tiến trình và phần việc nạp cần, máy chủ đó giữ khoảng {} GB.</translation>
    </message>
    <message>
        <source>Without offloading it takes {} GPUs of 80 GB, one sequence of {} tokens each: about {} GB on the card.</source>
        <translation>Nếu không chuyển bớt thì cần {} GPU 80 GB, mỗi GPU một chuỗi {} token: khoảng {} GB trên thẻ.</translation>
    </message>
    <message>
        <source>“20 GB a GPU” is true of 64 GPUs: {} GB of states each, before activations, logits and buffers.</source>
        <translation>“20 GB mỗi GPU” đúng với 64 GPU: mỗi GPU {} GB trạng thái, chưa tính activation, logit và bộ đệm.</translation>
    </message>
    <message>
        <source>405B on 512 GPUs: {} GB of states each, and with one sequence of {} tokens about {} GB come on top.</source>
        <translation>405B trên 512 GPU: mỗi GPU {} GB trạng thái, và với một chuỗi {} token thì thêm khoảng {} GB.</translation>
    </message>
    <message>
        <source>Frozen weights alone for 70B: LoRA {} GB, QLoRA {} GB.</source>
        <translation>Chỉ riêng trọng số đóng băng của 70B: LoRA {} GB, QLoRA {} GB.</translation>
    </message>
</context>
<context>
    <name>FieldTable</name>
    <message>
        <source>Copy</source>
        <translation>Sao chép</translation>
    </message>
</context>
<context>
    <name>FindingItem</name>
    <message>
        <source>Bound: {}</source>
        <translation>Ngưỡng: {}</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Áp dụng</translation>
    </message>
    <message>
        <source>{field} becomes {value}.</source>
        <translation>{field} thành {value}.</translation>
    </message>
    <message>
        <source>Done. Undo takes it back; the figures follow with the next look.</source>
        <translation>Đã xong. Hoàn tác để lấy lại; số liệu theo sau ở lần xem tới.</translation>
    </message>
</context>
<context>
    <name>Findings</name>
    <message>
        <source>Findings</source>
        <translation>Phát hiện</translation>
    </message>
    <message>
        <source>Duplicates, empty answers, cut rows and the like appear here once the data was read.</source>
        <translation>Dòng trùng lặp, câu trả lời trống, dòng bị cắt và những điều tương tự hiện ra ở đây sau khi dữ liệu được đọc.</translation>
    </message>
    <message>
        <source>The rows are still being read; counts grow until then.</source>
        <translation>Các dòng vẫn đang được đọc; số đếm còn tăng cho đến khi xong.</translation>
    </message>
    <message>
        <source>Nothing stands out in this data.</source>
        <translation>Dữ liệu này không có gì bất thường.</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Lỗi</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Cảnh báo</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Ghi chú</translation>
    </message>
    <message>
        <source>{} error</source>
        <translation>{} lỗi</translation>
    </message>
    <message>
        <source>{} errors</source>
        <translation>{} lỗi</translation>
    </message>
    <message>
        <source>{} warning</source>
        <translation>{} cảnh báo</translation>
    </message>
    <message>
        <source>{} warnings</source>
        <translation>{} cảnh báo</translation>
    </message>
    <message>
        <source>{} note</source>
        <translation>{} ghi chú</translation>
    </message>
    <message>
        <source>{} notes</source>
        <translation>{} ghi chú</translation>
    </message>
</context>
<context>
    <name>FitCard</name>
    <message>
        <source>Make it fit</source>
        <translation>Làm cho vừa</translation>
    </message>
    <message>
        <source>Find what fits</source>
        <translation>Tìm cấu hình vừa</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Áp dụng</translation>
    </message>
    <message>
        <source>Stage, offload, micro batch, checkpointing, loss and attention are tried; the global batch stays.</source>
        <translation>Thử stage, chuyển bớt, micro batch, checkpointing, hàm mất mát và attention; batch toàn cục giữ nguyên.</translation>
    </message>
    <message>
        <source>The fastest first, estimated; a click applies it.</source>
        <translation>Nhanh nhất xếp trước, theo ước tính; nhấp một cái để áp dụng.</translation>
    </message>
    <message>
        <source>Nothing fits these GPUs with this sequence length. More GPUs or a shorter one would.</source>
        <translation>Không cấu hình nào vừa các GPU này với độ dài chuỗi này. Thêm GPU hoặc chuỗi ngắn hơn thì sẽ vừa.</translation>
    </message>
    <message>
        <source>a micro batch of {}</source>
        <translation>micro batch {}</translation>
    </message>
    <message>
        <source>a sequence length of {}</source>
        <translation>độ dài chuỗi {}</translation>
    </message>
    <message>
        <source>a model of these proportions with {} parameters</source>
        <translation>một mô hình cùng tỷ lệ với {} tham số</translation>
    </message>
    <message>
        <source>, or </source>
        <translation>, hoặc </translation>
    </message>
    <message>
        <source>All else as it is, at most {} fits.</source>
        <translation>Mọi thứ khác giữ nguyên, nhiều nhất {} là vừa.</translation>
    </message>
    <message>
        <source>ZeRO {}</source>
        <translation>ZeRO {}</translation>
    </message>
    <message>
        <source>all offloaded</source>
        <translation>chuyển tất cả sang CPU</translation>
    </message>
    <message>
        <source>optimizer offloaded</source>
        <translation>chuyển bộ tối ưu sang CPU</translation>
    </message>
    <message>
        <source>checkpointing</source>
        <translation>có checkpoint activation</translation>
    </message>
    <message>
        <source>no checkpointing</source>
        <translation>không checkpoint activation</translation>
    </message>
    <message>
        <source>logits a chunk at a time</source>
        <translation>logit từng phần một</translation>
    </message>
    <message>
        <source>attention by SDPA</source>
        <translation>attention bằng SDPA</translation>
    </message>
    <message>
        <source>{} × {}</source>
        <translation>{} × {}</translation>
    </message>
    <message>
        <source>{} free</source>
        <translation>còn trống {}</translation>
    </message>
    <message>
        <source>time × {}</source>
        <translation>thời gian × {}</translation>
    </message>
    <message>
        <source>as it is</source>
        <translation>như hiện tại</translation>
    </message>
</context>
<context>
    <name>FoldersPanel</name>
    <message>
        <source>Take the proposal</source>
        <translation>Dùng đề xuất</translation>
    </message>
    <message>
        <source>Place</source>
        <translation>Đặt</translation>
    </message>
    <message>
        <source>Place the folders</source>
        <translation>Đặt các thư mục</translation>
    </message>
    <message>
        <source>Where the agent on {node} keeps things. What lies in a folder now stays there and is still found; new things go to the new place. Empty: in the agent&apos;s own folder. Whether a place outlives a stop of the box is told by its kind.</source>
        <translation>Nơi tác tử trên {node} giữ mọi thứ. Những gì đang nằm trong một thư mục vẫn ở lại đó và vẫn được tìm thấy; thứ mới sẽ vào nơi mới. Để trống: trong thư mục riêng của tác tử. Loại đĩa cho biết nơi đó có còn sau khi máy bị dừng hay không.</translation>
    </message>
    <message>
        <source>Some would last longer or have more room elsewhere.</source>
        <translation>Một số thư mục sẽ bền hơn hoặc rộng hơn nếu đặt ở nơi khác.</translation>
    </message>
    <message>
        <source>Work</source>
        <translation>Làm việc</translation>
    </message>
    <message>
        <source>Environments</source>
        <translation>Môi trường</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Mô hình</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Dữ liệu</translation>
    </message>
    <message>
        <source>Checkpoints</source>
        <translation>Điểm lưu</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Quay lại</translation>
    </message>
    <message>
        <source>Back to the node</source>
        <translation>Quay lại nút</translation>
    </message>
</context>
<context>
    <name>GlobalBatchRow</name>
    <message>
        <source>Global batch</source>
        <translation>Batch toàn cục</translation>
    </message>
    <message>
        <source>Sequences an update: micro batch × accumulation × ranks. Accumulation follows it; the micro batch only where it has to.</source>
        <translation>Số chuỗi mỗi lần cập nhật: micro batch × tích lũy × số tiến trình. Tích lũy thay đổi theo nó; micro batch chỉ đổi khi buộc phải đổi.</translation>
    </message>
    <message>
        <source>Help on {}</source>
        <translation>Trợ giúp về {}</translation>
    </message>
    <message>
        <source>{} tokens</source>
        <translation>{} token</translation>
    </message>
    <message>
        <source>{wanted} does not divide among {ranks} ranks; {near} is the nearest that does.</source>
        <translation>{wanted} không chia hết cho {ranks} tiến trình; {near} là số gần nhất chia hết.</translation>
    </message>
    <message>
        <source>{name} {before} → {after}</source>
        <translation>{name} {before} → {after}</translation>
    </message>
    <message>
        <source>micro batch</source>
        <translation>micro batch</translation>
    </message>
    <message>
        <source>accumulation</source>
        <translation>tích lũy</translation>
    </message>
    <message>
        <source>ranks</source>
        <translation>tiến trình</translation>
    </message>
    <message>
        <source>{changes}; the global batch stays {batch}.</source>
        <translation>{changes}; batch toàn cục vẫn là {batch}.</translation>
    </message>
    <message>
        <source>{changes}; the global batch is {after} instead of {before}.</source>
        <translation>{changes}; batch toàn cục là {after} thay vì {before}.</translation>
    </message>
    <message>
        <source>Use {}</source>
        <translation>Dùng {}</translation>
    </message>
    <message>
        <source>Keep {}</source>
        <translation>Giữ {}</translation>
    </message>
</context>
<context>
    <name>GpuPicker</name>
    <message>
        <source>GPUs of the run</source>
        <translation>Các GPU của lần chạy</translation>
    </message>
    <message>
        <source>Take free ones</source>
        <translation>Lấy GPU rảnh</translation>
    </message>
    <message>
        <source>Take free GPUs, however many the job asks for</source>
        <translation>Lấy các GPU rảnh, theo số mà công việc cần</translation>
    </message>
    <message>
        <source>The run takes {count} of {total}, one process each; they are named by UUID.</source>
        <translation>Lần chạy dùng {count} trên {total}, mỗi GPU một tiến trình; chúng được gọi theo UUID.</translation>
    </message>
    <message>
        <source>GPU {index}</source>
        <translation>GPU {index}</translation>
    </message>
    <message>
        <source>free</source>
        <translation>còn trống</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>đang dùng</translation>
    </message>
    <message>
        <source>{name} of {user}</source>
        <translation>{name} của {user}</translation>
    </message>
</context>
<context>
    <name>HardestRows</name>
    <message>
        <source>Find the hardest rows</source>
        <translation>Tìm các dòng khó nhất</translation>
    </message>
    <message>
        <source>The hardest rows come first, by surprise: how much worse the response is told from the row&apos;s own prompt than from another row&apos;s. The Loss column shows the mean loss of the response.</source>
        <translation>Các dòng khó nhất đứng đầu, theo độ bất ngờ: câu trả lời được đoán từ prompt của chính dòng đó kém hơn bao nhiêu so với từ prompt của một dòng khác. Cột Loss cho biết loss trung bình của câu trả lời.</translation>
    </message>
    <message>
        <source>Takes the loss of every row under the base model on the node, forward only; nothing is trained.</source>
        <translation>Tính loss của từng dòng bằng mô hình gốc trên máy chạy, chỉ lượt xuôi; không huấn luyện gì.</translation>
    </message>
    <message>
        <source>Stop taking losses</source>
        <translation>Dừng việc tính loss</translation>
    </message>
    <message>
        <source>Taking losses</source>
        <translation>Đang tính loss</translation>
    </message>
</context>
<context>
    <name>HardwareCard</name>
    <message>
        <source>On which GPUs</source>
        <translation>Trên GPU nào</translation>
    </message>
    <message>
        <source>Kind of GPU</source>
        <translation>Loại GPU</translation>
    </message>
    <message>
        <source>Number of GPUs</source>
        <translation>Số GPU</translation>
    </message>
    <message>
        <source>no node is chosen</source>
        <translation>chưa chọn máy chạy</translation>
    </message>
    <message>
        <source>{}, no GPU</source>
        <translation>{}, không có GPU</translation>
    </message>
    <message>
        <source>{} of {}</source>
        <translation>{} trên {}</translation>
    </message>
    <message>
        <source>{} GB/s</source>
        <translation>{} GB/s</translation>
    </message>
    <message>
        <source>{} TFLOP/s in bf16</source>
        <translation>{} TFLOP/s với bf16</translation>
    </message>
    <message>
        <source>no bf16</source>
        <translation>không có bf16</translation>
    </message>
</context>
<context>
    <name>HardwareTiles</name>
    <message>
        <source>{count} cores</source>
        <translation>{count} lõi</translation>
    </message>
    <message>
        <source>of all cores</source>
        <translation>của tất cả các lõi</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>{used} of {total} used</source>
        <translation>đã dùng {used} trên {total}</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Bộ nhớ</translation>
    </message>
    <message>
        <source>{size} free</source>
        <translation>còn trống {size}</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Đĩa</translation>
    </message>
    <message>
        <source>busy {share}</source>
        <translation>bận {share}</translation>
    </message>
    <message>
        <source>GPU {index}</source>
        <translation>GPU {index}</translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message>
        <source>Choose a model</source>
        <translation>Chọn mô hình</translation>
    </message>
    <message>
        <source>Choose the data</source>
        <translation>Chọn dữ liệu</translation>
    </message>
    <message>
        <source>Choose a node</source>
        <translation>Chọn máy chạy</translation>
    </message>
    <message>
        <source>Launch</source>
        <translation>Khởi chạy</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Xuất…</translation>
    </message>
    <message>
        <source>Launch the job</source>
        <translation>Khởi chạy công việc</translation>
    </message>
    <message>
        <source>Launch the job (Ctrl+Enter)</source>
        <translation>Khởi chạy công việc (Ctrl+Enter)</translation>
    </message>
    <message>
        <source>Export as a bundle that reruns without Luthier</source>
        <translation>Xuất thành gói chạy lại được mà không cần Luthier</translation>
    </message>
    <message>
        <source>{} page</source>
        <translation>Trang {}</translation>
    </message>
    <message>
        <source>{} (Ctrl+{})</source>
        <translation>{} (Ctrl+{})</translation>
    </message>
</context>
<context>
    <name>HelpPopup</name>
    <message>
        <source>empty</source>
        <translation>trống</translation>
    </message>
    <message>
        <source>Usual: {low} to {high} ({source})</source>
        <translation>Thường dùng: {low} đến {high} ({source})</translation>
    </message>
    <message>
        <source>Default: {}</source>
        <translation>Mặc định: {}</translation>
    </message>
    <message>
        <source>Source: {}</source>
        <translation>Nguồn: {}</translation>
    </message>
</context>
<context>
    <name>HostCard</name>
    <message>
        <source>Host memory and disk of a node</source>
        <translation>Bộ nhớ máy và ổ đĩa của một máy chạy</translation>
    </message>
    <message>
        <source>Host memory of a node</source>
        <translation>Bộ nhớ máy của một máy chạy</translation>
    </message>
    <message>
        <source>Disk</source>
        <translation>Ổ đĩa</translation>
    </message>
    <message>
        <source>On the node&apos;s NVMe instead of in its memory, what is offloaded would take {} of host memory and {} on disk. This is an estimate only: jobs offload to memory.</source>
        <translation>Nếu nằm trên NVMe của máy thay vì trong bộ nhớ, phần chuyển bớt sẽ chiếm {} bộ nhớ máy và {} đĩa. Đây chỉ là ước tính: công việc chuyển bớt vào bộ nhớ.</translation>
    </message>
</context>
<context>
    <name>HostKeyChangedDialog</name>
    <message>
        <source>The machine shows another key</source>
        <translation>Máy này đưa ra một khóa khác</translation>
    </message>
    <message>
        <source>{node} does not show the key that it showed before. Either it was set up anew, or somebody sits in between. Nothing was sent. If its owner confirms the new key, delete the line that holds the old one.</source>
        <translation>{node} không đưa ra khóa mà nó từng đưa ra. Hoặc máy đã được cài lại, hoặc có kẻ chen vào giữa. Chưa có gì được gửi đi. Nếu chủ máy xác nhận khóa mới, hãy xóa dòng chứa khóa cũ.</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Máy chủ</translation>
    </message>
    <message>
        <source>Key on file</source>
        <translation>Khóa đã lưu</translation>
    </message>
    <message>
        <source>Key shown now</source>
        <translation>Khóa đưa ra lúc này</translation>
    </message>
    <message>
        <source>The line</source>
        <translation>Dòng ấy</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Đóng</translation>
    </message>
</context>
<context>
    <name>HostKeyDialog</name>
    <message>
        <source>Is this the right machine?</source>
        <translation>Đây có đúng là máy cần kết nối không?</translation>
    </message>
    <message>
        <source>{node} is reached for the first time. Compare this fingerprint with the one that its owner or your provider shows; it is remembered, and another key is refused from then on.</source>
        <translation>Đây là lần đầu kết nối tới {node}. Hãy so dấu vân tay này với dấu mà chủ máy hoặc nhà cung cấp của bạn công bố; nó sẽ được ghi nhớ, và từ đó mọi khóa khác đều bị từ chối.</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Máy chủ</translation>
    </message>
    <message>
        <source>Key type</source>
        <translation>Loại khóa</translation>
    </message>
    <message>
        <source>Fingerprint</source>
        <translation>Dấu vân tay</translation>
    </message>
    <message>
        <source>Accept this key</source>
        <translation>Chấp nhận khóa này</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Để sau</translation>
    </message>
    <message>
        <source>Do not accept the key</source>
        <translation>Không chấp nhận khóa này</translation>
    </message>
    <message>
        <source>Its picture</source>
        <translation>Hình của khóa</translation>
    </message>
</context>
<context>
    <name>ImportDialog</name>
    <message>
        <source>Import {}</source>
        <translation>Nhập {}</translation>
    </message>
    <message>
        <source>What became of the configuration</source>
        <translation>Cấu hình đã được chuyển thành gì</translation>
    </message>
    <message>
        <source>Worth knowing</source>
        <translation>Điều nên biết</translation>
    </message>
    <message>
        <source>Field</source>
        <translation>Trường</translation>
    </message>
    <message>
        <source>What</source>
        <translation>Mục</translation>
    </message>
    <message>
        <source>There</source>
        <translation>Ở đó</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>Giá trị</translation>
    </message>
    <message>
        <source>Here</source>
        <translation>Ở đây</translation>
    </message>
    <message>
        <source>What was done</source>
        <translation>Đã làm gì</translation>
    </message>
    <message>
        <source>The same here</source>
        <translation>Giống hệt ở đây</translation>
    </message>
    <message>
        <source>Converted</source>
        <translation>Đã chuyển đổi</translation>
    </message>
    <message>
        <source>No counterpart</source>
        <translation>Không có mục tương ứng</translation>
    </message>
    <message>
        <source>A configuration of {tool}: {reason}</source>
        <translation>Một cấu hình của {tool}: {reason}</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Open as a job</source>
        <translation>Mở thành công việc</translation>
    </message>
</context>
<context>
    <name>JobSpec</name>
    <message>
        <source>on</source>
        <translation>bật</translation>
    </message>
    <message>
        <source>off</source>
        <translation>tắt</translation>
    </message>
    <message>
        <source>Schema</source>
        <translation>Lược đồ</translation>
    </message>
    <message>
        <source>The version of this file&apos;s layout.</source>
        <translation>Phiên bản bố cục của tệp này.</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>What the job is called in the library.</source>
        <translation>Tên của công việc trong thư viện.</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>Seed</translation>
    </message>
    <message>
        <source>Decides row order, held-out part and dropout.</source>
        <translation>Quyết định thứ tự dòng, phần giữ lại và dropout.</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Lấy từ</translation>
    </message>
    <message>
        <source>Where the model lies: on this computer, on the node, on the Hub, or the result of a run on the node.</source>
        <translation>Nơi chứa mô hình: trên máy này, trên máy chạy, trên Hub, hoặc là kết quả của một lượt chạy trên máy chạy.</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Mô hình</translation>
    </message>
    <message>
        <source>A folder here or on the node, a Hub id such as org/name, or RUN_ID/step for a checkpoint of a run.</source>
        <translation>Một thư mục ở đây hoặc trên máy chạy, một mã Hub như org/name, hoặc RUN_ID/step cho checkpoint của một lượt chạy.</translation>
    </message>
    <message>
        <source>Revision</source>
        <translation>Bản sửa đổi</translation>
    </message>
    <message>
        <source>The commit of a Hub model. A branch name can move, so a run pins the commit it resolved to.</source>
        <translation>Commit của mô hình trên Hub. Tên nhánh có thể đổi chỗ, nên lượt chạy ghim lại đúng commit đã tìm được.</translation>
    </message>
    <message>
        <source>Run the model&apos;s own code</source>
        <translation>Chạy mã riêng của mô hình</translation>
    </message>
    <message>
        <source>Lets Python files that come with the model run on the node with your rights. Leave off unless you read them.</source>
        <translation>Cho phép các tệp Python đi kèm mô hình chạy trên máy chạy với quyền của bạn. Hãy để tắt nếu bạn chưa đọc chúng.</translation>
    </message>
    <message>
        <source>Training data</source>
        <translation>Dữ liệu huấn luyện</translation>
    </message>
    <message>
        <source>Held-out data</source>
        <translation>Dữ liệu giữ lại (held-out)</translation>
    </message>
    <message>
        <source>A file whose rows are never trained on. Empty: a fraction of the training data is set aside.</source>
        <translation>Một tệp có các dòng không bao giờ được huấn luyện. Để trống: một phần dữ liệu huấn luyện được để riêng ra.</translation>
    </message>
    <message>
        <source>Held-out share</source>
        <translation>Tỷ lệ giữ lại</translation>
    </message>
    <message>
        <source>The share of rows set aside by the seed where no held-out file is given; 0 sets none aside.</source>
        <translation>Tỷ lệ số dòng được để riêng theo seed khi không có tệp giữ lại; 0 nghĩa là không để riêng dòng nào.</translation>
    </message>
    <message>
        <source>Held-out rows at most</source>
        <translation>Số dòng giữ lại tối đa</translation>
    </message>
    <message>
        <source>Caps the held-out part so that an evaluation stays short; rows beyond it are left out of both parts. 0 means no cap.</source>
        <translation>Giới hạn phần giữ lại để việc đánh giá không kéo dài; các dòng vượt giới hạn bị loại khỏi cả hai phần. 0 nghĩa là không giới hạn.</translation>
    </message>
    <message>
        <source>rows</source>
        <translation>dòng</translation>
    </message>
    <message>
        <source>Shape</source>
        <translation>Dạng</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Prompt hệ thống</translation>
    </message>
    <message>
        <source>Put before every conversation that has no system turn of its own.</source>
        <translation>Đặt trước mọi hội thoại không có lượt hệ thống riêng.</translation>
    </message>
    <message>
        <source>Chat template</source>
        <translation>Mẫu hội thoại</translation>
    </message>
    <message>
        <source>Sequence length</source>
        <translation>Độ dài chuỗi</translation>
    </message>
    <message>
        <source>The most tokens a sequence holds. Memory of activations and logits grows with it; it may not pass the model&apos;s limit.</source>
        <translation>Số token tối đa của một chuỗi. Bộ nhớ cho activation và logit tăng theo nó; nó không được vượt giới hạn của mô hình.</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token</translation>
    </message>
    <message>
        <source>Longer rows</source>
        <translation>Dòng dài hơn</translation>
    </message>
    <message>
        <source>Packing</source>
        <translation>Ghép chuỗi (packing)</translation>
    </message>
    <message>
        <source>Several rows share a sequence, each blind to the others, so that no compute goes into padding.</source>
        <translation>Nhiều dòng dùng chung một chuỗi, dòng này không nhìn thấy dòng kia, để không tốn tính toán cho phần đệm.</translation>
    </message>
    <message>
        <source>Rows at most</source>
        <translation>Số dòng tối đa</translation>
    </message>
    <message>
        <source>Takes only the first rows of the file. 0 means all.</source>
        <translation>Chỉ lấy các dòng đầu của tệp. 0 nghĩa là lấy tất cả.</translation>
    </message>
    <message>
        <source>Optimizer</source>
        <translation>Bộ tối ưu</translation>
    </message>
    <message>
        <source>Peak learning rate</source>
        <translation>Tốc độ học đỉnh</translation>
    </message>
    <message>
        <source>The highest learning rate of the run.</source>
        <translation>Tốc độ học cao nhất của lượt chạy.</translation>
    </message>
    <message>
        <source>Beta 1</source>
        <translation>Beta 1</translation>
    </message>
    <message>
        <source>Beta 2</source>
        <translation>Beta 2</translation>
    </message>
    <message>
        <source>Epsilon</source>
        <translation>Epsilon</translation>
    </message>
    <message>
        <source>Keeps the AdamW step finite where gradients vanish.</source>
        <translation>Giữ cho bước AdamW hữu hạn khi gradient gần bằng không.</translation>
    </message>
    <message>
        <source>Momentum</source>
        <translation>Momentum</translation>
    </message>
    <message>
        <source>Weight decay</source>
        <translation>Suy giảm trọng số</translation>
    </message>
    <message>
        <source>Decoupled decay toward zero, times the learning rate, on matrices only.</source>
        <translation>Suy giảm tách rời về không, nhân với tốc độ học, chỉ áp dụng cho ma trận.</translation>
    </message>
    <message>
        <source>Decay embeddings</source>
        <translation>Suy giảm cả embedding</translation>
    </message>
    <message>
        <source>Whether token embeddings and the head are decayed too.</source>
        <translation>Có áp dụng suy giảm cho embedding của token và lớp đầu ra hay không.</translation>
    </message>
    <message>
        <source>How the learning rate goes on after the warmup. A range test has no warmup: it rises exponentially from the minimum to the peak, and ends where the loss diverges.</source>
        <translation>Tốc độ học diễn tiến thế nào sau khởi động. Phép thử khoảng không có khởi động: nó tăng theo hàm mũ từ mức tối thiểu đến đỉnh và kết thúc khi loss phân kỳ.</translation>
    </message>
    <message>
        <source>Minimum</source>
        <translation>Mức thấp nhất</translation>
    </message>
    <message>
        <source>x peak</source>
        <translation>× đỉnh</translation>
    </message>
    <message>
        <source>Warmup</source>
        <translation>Khởi động (warmup)</translation>
    </message>
    <message>
        <source>Warmup unit</source>
        <translation>Đơn vị khởi động</translation>
    </message>
    <message>
        <source>Warmup starts at</source>
        <translation>Khởi động từ mức</translation>
    </message>
    <message>
        <source>The first update&apos;s share of the peak. 0 as in transformers, whose first update then changes nothing.</source>
        <translation>Tỷ lệ so với đỉnh ở lần cập nhật đầu tiên. 0 như trong transformers, khi đó lần cập nhật đầu không thay đổi gì.</translation>
    </message>
    <message>
        <source>Clip norm</source>
        <translation>Ngưỡng cắt gradient</translation>
    </message>
    <message>
        <source>Scales the gradient down where its global norm is above this. 0 turns clipping off.</source>
        <translation>Thu nhỏ gradient khi chuẩn toàn cục của nó vượt giá trị này. 0 là tắt việc cắt.</translation>
    </message>
    <message>
        <source>Label smoothing</source>
        <translation>Làm mượt nhãn</translation>
    </message>
    <message>
        <source>The share of the target spread over the whole vocabulary in the training loss. Held-out loss is always without it.</source>
        <translation>Phần của nhãn đích được trải đều ra toàn bộ từ vựng trong loss huấn luyện. Loss trên tập giữ lại luôn tính không có nó.</translation>
    </message>
    <message>
        <source>Micro batch</source>
        <translation>Micro batch</translation>
    </message>
    <message>
        <source>Sequences a GPU holds at once; activations grow with it.</source>
        <translation>Số chuỗi một GPU giữ cùng lúc; activation tăng theo nó.</translation>
    </message>
    <message>
        <source>sequences</source>
        <translation>chuỗi</translation>
    </message>
    <message>
        <source>Accumulation</source>
        <translation>Tích lũy</translation>
    </message>
    <message>
        <source>Micro batches a GPU sums before an update. Global batch = micro batch x accumulation x GPUs.</source>
        <translation>Số micro batch một GPU cộng dồn trước mỗi lần cập nhật. Batch toàn cục = micro batch × tích lũy × số GPU.</translation>
    </message>
    <message>
        <source>micro batches</source>
        <translation>micro batch</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>Số epoch</translation>
    </message>
    <message>
        <source>How often every row is trained, where no number of steps is given.</source>
        <translation>Mỗi dòng được huấn luyện bao nhiêu lần, khi không đặt số bước.</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Số bước</translation>
    </message>
    <message>
        <source>Where the data lies: on this computer (it is sent to the node, verified by hash), on the node, or on the Hub.</source>
        <translation>Nơi chứa dữ liệu: trên máy này (được gửi tới máy chạy, kiểm tra bằng mã băm), trên máy chạy, hoặc trên Hub.</translation>
    </message>
    <message>
        <source>A JSON, JSONL, CSV, TSV, Parquet, Arrow or text file (also .gz or .zst), or a folder of such.</source>
        <translation>Một tệp JSON, JSONL, CSV, TSV, Parquet, Arrow hoặc văn bản (cả .gz hoặc .zst), hoặc một thư mục gồm các tệp như vậy.</translation>
    </message>
    <message>
        <source>Data revision</source>
        <translation>Bản sửa đổi dữ liệu</translation>
    </message>
    <message>
        <source>The commit of a Hub data set; pinned when it is looked at.</source>
        <translation>Commit của một tập dữ liệu trên Hub; được ghim khi xem xét.</translation>
    </message>
    <message>
        <source>Subset</source>
        <translation>Tập con</translation>
    </message>
    <message>
        <source>The configuration of a Hub data set, empty for its only one.</source>
        <translation>Cấu hình của một tập dữ liệu trên Hub, để trống nếu chỉ có một.</translation>
    </message>
    <message>
        <source>Split</source>
        <translation>Phần chia</translation>
    </message>
    <message>
        <source>The split of a Hub data set.</source>
        <translation>Phần chia (split) của một tập dữ liệu trên Hub.</translation>
    </message>
    <message>
        <source>Held out by</source>
        <translation>Giữ lại theo</translation>
    </message>
    <message>
        <source>Row: any rows. Class: the same share of every class. Group: all rows of a group together, so that rows that belong together never stand in both parts.</source>
        <translation>Dòng: dòng bất kỳ. Lớp: cùng một tỷ lệ của mỗi lớp. Nhóm: mọi dòng của một nhóm đi cùng nhau, để các dòng thuộc về nhau không bao giờ ở cả hai phần.</translation>
    </message>
    <message>
        <source>Group column</source>
        <translation>Cột nhóm</translation>
    </message>
    <message>
        <source>The column whose equal values make a group, for instance a document&apos;s id.</source>
        <translation>Cột mà các giá trị bằng nhau tạo thành một nhóm, chẳng hạn mã của tài liệu.</translation>
    </message>
    <message>
        <source>How a row is read: alpaca, prompt and completion, chat messages, ShareGPT, plain text, or a text with its class. Auto reads it from the columns and says why.</source>
        <translation>Cách đọc một dòng: alpaca, prompt và câu trả lời, tin nhắn hội thoại, ShareGPT, văn bản thuần, hoặc văn bản kèm lớp. Tự động sẽ suy ra từ các cột và nói rõ lý do.</translation>
    </message>
    <message>
        <source>Prompt column</source>
        <translation>Cột prompt</translation>
    </message>
    <message>
        <source>The column that is asked: instruction, prompt or question.</source>
        <translation>Cột chứa điều được hỏi: instruction, prompt hoặc question.</translation>
    </message>
    <message>
        <source>Input column</source>
        <translation>Cột input</translation>
    </message>
    <message>
        <source>The column that is put under the instruction (alpaca).</source>
        <translation>Cột được đặt dưới chỉ dẫn (alpaca).</translation>
    </message>
    <message>
        <source>Response column</source>
        <translation>Cột câu trả lời</translation>
    </message>
    <message>
        <source>The column that is learnt: output, completion or answer.</source>
        <translation>Cột được học: output, completion hoặc answer.</translation>
    </message>
    <message>
        <source>System column</source>
        <translation>Cột hệ thống</translation>
    </message>
    <message>
        <source>The column with the row&apos;s own system prompt.</source>
        <translation>Cột chứa prompt hệ thống riêng của dòng.</translation>
    </message>
    <message>
        <source>Messages column</source>
        <translation>Cột hội thoại</translation>
    </message>
    <message>
        <source>The column with the list of turns.</source>
        <translation>Cột chứa danh sách các lượt nói.</translation>
    </message>
    <message>
        <source>Tools column</source>
        <translation>Cột công cụ</translation>
    </message>
    <message>
        <source>The column with the functions the assistant may call.</source>
        <translation>Cột chứa các hàm mà trợ lý có thể gọi.</translation>
    </message>
    <message>
        <source>Text column</source>
        <translation>Cột văn bản</translation>
    </message>
    <message>
        <source>The column with plain text, or with the text that has a class.</source>
        <translation>Cột chứa văn bản thuần, hoặc văn bản có lớp.</translation>
    </message>
    <message>
        <source>Class column</source>
        <translation>Cột lớp</translation>
    </message>
    <message>
        <source>The column with the class of a text.</source>
        <translation>Cột chứa lớp của văn bản.</translation>
    </message>
    <message>
        <source>Class prompt</source>
        <translation>Prompt của lớp</translation>
    </message>
    <message>
        <source>What is asked of a text whose class is learnt; {text} is replaced by the text, {labels} by the classes.</source>
        <translation>Câu hỏi về văn bản có lớp cần học; {text} được thay bằng văn bản, {labels} bằng các lớp.</translation>
    </message>
    <message>
        <source>Class names</source>
        <translation>Tên các lớp</translation>
    </message>
    <message>
        <source>The words for classes that are numbered from 0, in their order.</source>
        <translation>Từ gọi các lớp được đánh số từ 0, theo thứ tự.</translation>
    </message>
    <message>
        <source>A Jinja chat template used instead of the model&apos;s own, or builtin:NAME for one of Luthier&apos;s. Empty: the model&apos;s own.</source>
        <translation>Mẫu hội thoại Jinja dùng thay cho mẫu của mô hình, hoặc builtin:NAME cho một mẫu của Luthier. Để trống: mẫu của mô hình.</translation>
    </message>
    <message>
        <source>Train on</source>
        <translation>Học trên</translation>
    </message>
    <message>
        <source>Which turns are learnt: every turn of the assistant, the last one only, or every token.</source>
        <translation>Những lượt nào được học: mọi lượt của trợ lý, chỉ lượt cuối, hoặc mọi token.</translation>
    </message>
    <message>
        <source>Added tokens</source>
        <translation>Token thêm vào</translation>
    </message>
    <message>
        <source>Markers of the chat template that become single tokens of the tokenizer; embeddings and head grow by them.</source>
        <translation>Các dấu của mẫu hội thoại trở thành token đơn của tokenizer; embedding và đầu ra lớn thêm chừng ấy.</translation>
    </message>
    <message>
        <source>What happens to a row over the sequence length: its end is cut, the row is dropped, or it is split into several.</source>
        <translation>Xử lý dòng vượt độ dài chuỗi thế nào: cắt phần cuối, bỏ cả dòng, hoặc chia thành nhiều phần.</translation>
    </message>
    <message>
        <source>Group by length</source>
        <translation>Nhóm theo độ dài</translation>
    </message>
    <message>
        <source>Without packing, puts rows of like length into a micro batch, so that less of it is padding.</source>
        <translation>Khi không ghép chuỗi, đặt các dòng dài gần nhau vào cùng micro batch để bớt phần đệm.</translation>
    </message>
    <message>
        <source>Weight</source>
        <translation>Trọng số</translation>
    </message>
    <message>
        <source>The share of this source in the mixture, against the weights of the others. 0 everywhere: every row of every source once.</source>
        <translation>Phần của nguồn này trong hỗn hợp, so với trọng số của các nguồn khác. Tất cả bằng 0: mỗi dòng của mọi nguồn đúng một lần.</translation>
    </message>
    <message>
        <source>Epochs at most</source>
        <translation>Số epoch tối đa</translation>
    </message>
    <message>
        <source>How often a row of this source may come at most within one pass over the mixture.</source>
        <translation>Một dòng của nguồn này được xuất hiện tối đa bao nhiêu lần trong một lượt qua hỗn hợp.</translation>
    </message>
    <message>
        <source>passes</source>
        <translation>lượt</translation>
    </message>
    <message>
        <source>More sources</source>
        <translation>Thêm nguồn</translation>
    </message>
    <message>
        <source>Further data, mixed with the first.</source>
        <translation>Dữ liệu khác, trộn với nguồn đầu.</translation>
    </message>
    <message>
        <source>What is done to the rows, in this order; the files themselves are never changed.</source>
        <translation>Những gì được làm với các dòng, theo thứ tự này; bản thân các tệp không bao giờ bị thay đổi.</translation>
    </message>
    <message>
        <source>What computes AdamW&apos;s updates while the states lie on the GPU: PyTorch&apos;s fused kernel, or DeepSpeed&apos;s FusedAdam, which the node compiles with nvcc before the first run. Both state the same formula; FusedAdam has not been tried on a GPU.</source>
        <translation>Thứ tính các bước cập nhật của AdamW khi trạng thái nằm trên GPU: nhân fused của PyTorch, hoặc FusedAdam của DeepSpeed mà nút biên dịch bằng nvcc trước lần chạy đầu. Cả hai theo cùng một công thức; FusedAdam chưa được thử trên GPU.</translation>
    </message>
    <message>
        <source>Decay of the running mean of gradients (AdamW); of the update&apos;s direction (Lion).</source>
        <translation>Hệ số suy giảm của trung bình động gradient (AdamW); của hướng cập nhật (Lion).</translation>
    </message>
    <message>
        <source>Decay of the running mean of squared gradients (AdamW); of the running mean of gradients (Lion).</source>
        <translation>Hệ số suy giảm của trung bình động bình phương gradient (AdamW); của trung bình động gradient (Lion).</translation>
    </message>
    <message>
        <source>Momentum of SGD and of Muon; the others ignore it.</source>
        <translation>Momentum của SGD và của Muon; các bộ tối ưu khác bỏ qua nó.</translation>
    </message>
    <message>
        <source>Layer-wise decay</source>
        <translation>Suy giảm theo lớp</translation>
    </message>
    <message>
        <source>Each layer&apos;s learning rate is this times that of the layer above; embeddings come below the first layer. 1 gives all the same.</source>
        <translation>Tốc độ học của mỗi lớp bằng chừng này lần của lớp ngay trên; embedding nằm dưới lớp đầu tiên. 1 cho mọi lớp như nhau.</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Embedding</translation>
    </message>
    <message>
        <source>The token embeddings&apos; learning rate as a share of the others&apos;.</source>
        <translation>Tốc độ học của embedding token, theo tỷ lệ so với các phần khác.</translation>
    </message>
    <message>
        <source>x rate</source>
        <translation>× tốc độ</translation>
    </message>
    <message>
        <source>Head</source>
        <translation>Đầu ra</translation>
    </message>
    <message>
        <source>The output head&apos;s learning rate as a share of the others&apos;; ignored where it is tied to the embeddings.</source>
        <translation>Tốc độ học của lớp đầu ra, theo tỷ lệ so với các phần khác; bị bỏ qua khi lớp này dùng chung trọng số với embedding.</translation>
    </message>
    <message>
        <source>Frozen parts</source>
        <translation>Phần đóng băng</translation>
    </message>
    <message>
        <source>Patterns of parameter names that are not trained, such as model.layers.0.* (* stands for anything).</source>
        <translation>Mẫu tên của các tham số không được huấn luyện, chẳng hạn model.layers.0.* (* thay cho bất cứ gì).</translation>
    </message>
    <message>
        <source>Where the fall ends, as a share of the peak. A constant, stepped or hand-drawn schedule ignores it.</source>
        <translation>Nơi kết thúc đoạn giảm, theo tỷ lệ so với đỉnh. Lịch không đổi, bậc thang hoặc vẽ tay bỏ qua nó.</translation>
    </message>
    <message>
        <source>How long the learning rate rises to its peak.</source>
        <translation>Tốc độ học tăng lên đỉnh trong bao lâu.</translation>
    </message>
    <message>
        <source>What the warmup is given in.</source>
        <translation>Thời gian khởi động được cho theo đơn vị nào.</translation>
    </message>
    <message>
        <source>Warmup shape</source>
        <translation>Dạng khởi động</translation>
    </message>
    <message>
        <source>How the learning rate rises.</source>
        <translation>Tốc độ học tăng lên theo dạng nào.</translation>
    </message>
    <message>
        <source>Cooldown</source>
        <translation>Hạ nhiệt (cooldown)</translation>
    </message>
    <message>
        <source>How long the learning rate falls at the end.</source>
        <translation>Tốc độ học giảm trong bao lâu ở cuối.</translation>
    </message>
    <message>
        <source>Cooldown unit</source>
        <translation>Đơn vị hạ nhiệt</translation>
    </message>
    <message>
        <source>What the cooldown is given in.</source>
        <translation>Thời gian hạ nhiệt được cho theo đơn vị nào.</translation>
    </message>
    <message>
        <source>Cooldown shape</source>
        <translation>Dạng hạ nhiệt</translation>
    </message>
    <message>
        <source>How it falls: in a line, as a cosine, or as 1 - sqrt(progress).</source>
        <translation>Cách giảm: theo đường thẳng, theo cosine, hoặc theo 1 - sqrt(progress).</translation>
    </message>
    <message>
        <source>Cycles</source>
        <translation>Số chu kỳ</translation>
    </message>
    <message>
        <source>How many falls a cosine with restarts has.</source>
        <translation>Cosine có khởi động lại gồm bao nhiêu lần giảm.</translation>
    </message>
    <message>
        <source>cycles</source>
        <translation>chu kỳ</translation>
    </message>
    <message>
        <source>Cycle length</source>
        <translation>Độ dài chu kỳ</translation>
    </message>
    <message>
        <source>Each cycle is this times as long as the one before.</source>
        <translation>Mỗi chu kỳ dài bằng chừng này lần chu kỳ trước.</translation>
    </message>
    <message>
        <source>x before</source>
        <translation>× trước đó</translation>
    </message>
    <message>
        <source>Cycle peak</source>
        <translation>Đỉnh chu kỳ</translation>
    </message>
    <message>
        <source>Each cycle&apos;s peak is this times the one before.</source>
        <translation>Đỉnh của mỗi chu kỳ bằng chừng này lần đỉnh trước.</translation>
    </message>
    <message>
        <source>Power</source>
        <translation>Số mũ</translation>
    </message>
    <message>
        <source>The exponent of a polynomial fall: (1 - progress) to this power.</source>
        <translation>Số mũ của đoạn giảm đa thức: (1 - progress) lũy thừa số này.</translation>
    </message>
    <message>
        <source>Timescale</source>
        <translation>Thang thời gian</translation>
    </message>
    <message>
        <source>Of the inverse square root: sqrt(timescale / (step - warmup + timescale)). 0: the warmup&apos;s steps, or 10,000 without a warmup, as transformers has it.</source>
        <translation>Của nghịch đảo căn bậc hai: sqrt(timescale / (step - warmup + timescale)). 0: số bước khởi động, hoặc 10.000 khi không có khởi động, như trong transformers.</translation>
    </message>
    <message>
        <source>Step every</source>
        <translation>Xuống bậc sau mỗi</translation>
    </message>
    <message>
        <source>How long a step schedule stays at a level.</source>
        <translation>Lịch bậc thang ở một mức trong bao lâu.</translation>
    </message>
    <message>
        <source>percent of the run</source>
        <translation>phần trăm lượt chạy</translation>
    </message>
    <message>
        <source>Step factor</source>
        <translation>Hệ số bậc</translation>
    </message>
    <message>
        <source>What each level is of the one before.</source>
        <translation>Mỗi mức bằng bao nhiêu lần mức trước.</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>Các điểm</translation>
    </message>
    <message>
        <source>A hand-drawn schedule goes in lines through them; a multi-step one jumps to each factor and stays. The warmup lies over both.</source>
        <translation>Lịch vẽ tay đi theo các đoạn thẳng qua những điểm này; lịch nhiều bậc nhảy tới từng hệ số và giữ nguyên ở đó. Giai đoạn khởi động phủ lên cả hai.</translation>
    </message>
    <message>
        <source>Weight decay at the end</source>
        <translation>Suy giảm trọng số ở cuối</translation>
    </message>
    <message>
        <source>The weight decay goes from its value to this times it, as a cosine over the run. 1 keeps it.</source>
        <translation>Suy giảm trọng số đi từ giá trị của nó đến chừng này lần giá trị đó, theo cosine trong suốt lượt chạy. 1 là giữ nguyên.</translation>
    </message>
    <message>
        <source>x start</source>
        <translation>× ban đầu</translation>
    </message>
    <message>
        <source>Ends where the loss is</source>
        <translation>Kết thúc khi loss bằng</translation>
    </message>
    <message>
        <source>A range test ends once its smoothed loss is over this times the lowest so far. 0: it goes on to the end.</source>
        <translation>Phép thử khoảng kết thúc khi loss làm mượt vượt bấy nhiêu lần mức thấp nhất tới lúc đó. 0: chạy đến cuối.</translation>
    </message>
    <message>
        <source>x lowest</source>
        <translation>x mức thấp nhất</translation>
    </message>
    <message>
        <source>Momentum at the peak</source>
        <translation>Momentum ở đỉnh</translation>
    </message>
    <message>
        <source>One-cycle: momentum (or beta 1) falls to this while the rate rises, and returns. 0 keeps it.</source>
        <translation>Một chu kỳ: momentum (hoặc beta 1) giảm xuống giá trị này khi tốc độ học tăng, rồi trở lại. 0 là giữ nguyên.</translation>
    </message>
    <message>
        <source>Clip value</source>
        <translation>Giá trị cắt</translation>
    </message>
    <message>
        <source>Limits each element of the gradient to plus and minus this, before the norm. 0: off.</source>
        <translation>Giới hạn mỗi phần tử của gradient trong khoảng cộng trừ giá trị này, trước khi cắt theo chuẩn. 0: tắt.</translation>
    </message>
    <message>
        <source>Set the model&apos;s dropout</source>
        <translation>Đặt dropout của mô hình</translation>
    </message>
    <message>
        <source>Sets every dropout the model&apos;s config has (attention, residual, embedding) to one value.</source>
        <translation>Đặt mọi dropout có trong cấu hình của mô hình (attention, residual, embedding) về cùng một giá trị.</translation>
    </message>
    <message>
        <source>Dropout</source>
        <translation>Dropout</translation>
    </message>
    <message>
        <source>The share of elements dropped where the model has a dropout.</source>
        <translation>Tỷ lệ phần tử bị bỏ ở những chỗ mô hình có dropout.</translation>
    </message>
    <message>
        <source>Residual dropout</source>
        <translation>Dropout residual</translation>
    </message>
    <message>
        <source>Drops this share after each layer&apos;s attention and MLP, also where the config has no dropout. 0: off.</source>
        <translation>Bỏ tỷ lệ này sau attention và MLP của mỗi lớp, kể cả khi cấu hình không có dropout. 0: tắt.</translation>
    </message>
    <message>
        <source>NEFTune</source>
        <translation>NEFTune</translation>
    </message>
    <message>
        <source>Noise on the embeddings while training, uniform, of size alpha / sqrt(tokens x width). 0: off.</source>
        <translation>Nhiễu trên embedding khi huấn luyện, phân bố đều, độ lớn alpha / sqrt(số token x độ rộng). 0: tắt.</translation>
    </message>
    <message>
        <source>Mixup</source>
        <translation>Mixup</translation>
    </message>
    <message>
        <source>Mixes the embeddings of two rows of a micro batch by lambda ~ Beta(alpha, alpha). 0: off. Needs unpacked rows and a micro batch of 2 or more.</source>
        <translation>Trộn embedding của hai dòng trong một micro batch theo lambda ~ Beta(alpha, alpha). 0: tắt. Cần các dòng không ghép chuỗi và micro batch từ 2 trở lên.</translation>
    </message>
    <message>
        <source>R-Drop</source>
        <translation>R-Drop</translation>
    </message>
    <message>
        <source>Passes each batch twice and adds alpha x the symmetric KL divergence of the two. 0: off. Doubles forward and backward.</source>
        <translation>Cho mỗi batch đi qua hai lần và cộng thêm alpha x độ phân kỳ KL đối xứng của hai lần đó. 0: tắt. Gấp đôi lượt xuôi và lượt ngược.</translation>
    </message>
    <message>
        <source>Penalty toward the base</source>
        <translation>Phạt kéo về mô hình gốc</translation>
    </message>
    <message>
        <source>L2-SP: adds half this times the squared distance from the base weights. 0: off. Keeps a copy of the trained weights.</source>
        <translation>L2-SP: cộng thêm một nửa số này nhân với bình phương khoảng cách tới trọng số gốc. 0: tắt. Giữ một bản sao của các trọng số được huấn luyện.</translation>
    </message>
    <message>
        <source>Weight averaging</source>
        <translation>Lấy trung bình trọng số</translation>
    </message>
    <message>
        <source>Saves averaged weights: an exponential moving average, or the mean over the end of the run. Keeps an fp32 copy, split over the ranks as the states are.</source>
        <translation>Lưu trọng số trung bình: trung bình động hàm mũ, hoặc trung bình cộng trên đoạn cuối lượt chạy. Giữ một bản sao fp32, chia cho các tiến trình giống như các trạng thái.</translation>
    </message>
    <message>
        <source>EMA decay</source>
        <translation>Hệ số suy giảm EMA</translation>
    </message>
    <message>
        <source>The average keeps this share of itself at each update.</source>
        <translation>Giá trị trung bình giữ lại tỷ lệ này của chính nó ở mỗi lần cập nhật.</translation>
    </message>
    <message>
        <source>Tail</source>
        <translation>Đoạn cuối</translation>
    </message>
    <message>
        <source>Over which end of the run tail averaging takes the mean.</source>
        <translation>Trung bình đoạn cuối được lấy trên bao nhiêu phần cuối của lượt chạy.</translation>
    </message>
    <message>
        <source>Early stopping</source>
        <translation>Dừng sớm</translation>
    </message>
    <message>
        <source>Ends the run after so many evaluations in a row without a better held-out loss. 0: off.</source>
        <translation>Kết thúc lượt chạy sau chừng ấy lần đánh giá liên tiếp mà loss trên tập giữ lại không tốt hơn. 0: tắt.</translation>
    </message>
    <message>
        <source>evaluations</source>
        <translation>lần đánh giá</translation>
    </message>
    <message>
        <source>Better by</source>
        <translation>Tốt hơn ít nhất</translation>
    </message>
    <message>
        <source>How much lower a held-out loss has to be to count as better.</source>
        <translation>Loss trên tập giữ lại phải thấp hơn bao nhiêu mới được tính là tốt hơn.</translation>
    </message>
    <message>
        <source>Ends the run after so many updates, whatever the epochs say. 0: by epochs.</source>
        <translation>Kết thúc lượt chạy sau chừng ấy lần cập nhật, bất kể số epoch. 0: theo số epoch.</translation>
    </message>
    <message>
        <source>Longest batch only</source>
        <translation>Chỉ batch dài nhất</translation>
    </message>
    <message>
        <source>Every update trains the batch of the longest sequences: for measuring memory, not for learning.</source>
        <translation>Mọi lần cập nhật đều huấn luyện batch gồm các chuỗi dài nhất: để đo bộ nhớ, không phải để học.</translation>
    </message>
    <message>
        <source>bf16 computes in 16 bits with fp32 master weights (GPUs of compute capability 8.0 and later); fp16 does on older GPUs, with a loss scale; fp32 for CPU nodes.</source>
        <translation>bf16 tính bằng 16 bit với trọng số gốc fp32 (GPU có compute capability 8.0 trở lên); fp16 cũng vậy trên GPU cũ hơn, kèm hệ số loss; fp32 dành cho máy chạy chỉ có CPU.</translation>
    </message>
    <message>
        <source>First loss scale</source>
        <translation>Hệ số loss ban đầu</translation>
    </message>
    <message>
        <source>fp16: the loss is multiplied by 2 to this power at the start; it halves where gradients overflow.</source>
        <translation>fp16: lúc bắt đầu loss được nhân với 2 lũy thừa số này; hệ số giảm một nửa khi gradient bị tràn.</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Loss</translation>
    </message>
    <message>
        <source>How the head&apos;s loss is computed: lean takes logits only where a label is, a chunk at a time; liger is a fused kernel on GPUs where its package is; plain makes all logits. Auto: liger where it can, else lean.</source>
        <translation>Cách tính loss ở lớp đầu ra: tiết kiệm chỉ lấy logit ở chỗ có nhãn, từng đoạn một; liger là nhân tính gộp trên GPU khi có gói của nó; thường tạo ra mọi logit. Tự động: liger khi dùng được, nếu không thì tiết kiệm.</translation>
    </message>
    <message>
        <source>Prompts answered greedily before the first step, at every evaluation and at the end.</source>
        <translation>Các prompt được trả lời theo lối tham lam trước bước đầu, ở mỗi lần đánh giá và ở cuối.</translation>
    </message>
    <message>
        <source>GPU throttles</source>
        <translation>GPU tự giảm tốc</translation>
    </message>
    <message>
        <source>Alerts where a GPU runs below its clock for heat, a hardware fault or the power brake; reaching the power limit under load is usual and no alert.</source>
        <translation>Cảnh báo khi GPU chạy dưới xung nhịp vì nóng, lỗi phần cứng hoặc hãm điện; chạm giới hạn điện khi tải nặng là bình thường và không cảnh báo.</translation>
    </message>
    <message>
        <source>Weights and Biases</source>
        <translation>Weights and Biases</translation>
    </message>
    <message>
        <source>Rows that are left out, by their numbers in the table (the job file counts from 0).</source>
        <translation>Các dòng bị loại, theo số thứ tự trong bảng (tệp công việc đếm từ 0).</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>Replay share</source>
        <translation>Tỷ lệ ôn lại</translation>
    </message>
    <message>
        <source>The share of the trained rows that comes from the sources marked as replay, so that the model forgets less of what it knew. A pass grows by that many rows. 0: no replay.</source>
        <translation>Tỷ lệ số dòng huấn luyện lấy từ các nguồn được đánh dấu ôn lại, để mô hình ít quên điều đã biết. Mỗi lượt qua dữ liệu dài thêm chừng ấy dòng. 0: không ôn lại.</translation>
    </message>
    <message>
        <source>AdamW keeps two fp32 moments a parameter (8 bytes), in 8 bits 2 bytes; Lion and SGD with momentum keep one (4 bytes); Muon one for matrices and AdamW&apos;s two for the rest; Adafactor a row and a column of each matrix. AdamW runs PyTorch&apos;s fused kernel; with states in host memory DeepSpeed&apos;s CPUAdam where that is compiled.</source>
        <translation>AdamW giữ hai mô-men fp32 cho mỗi tham số (8 byte), ở dạng 8 bit là 2 byte; Lion và SGD có momentum giữ một (4 byte); Muon giữ một cho ma trận và hai của AdamW cho phần còn lại; Adafactor giữ một hàng và một cột của mỗi ma trận. AdamW chạy nhân gộp của PyTorch; khi trạng thái nằm trong bộ nhớ máy thì dùng CPUAdam của DeepSpeed nếu nó đã được biên dịch.</translation>
    </message>
    <message>
        <source>AdamW kernel</source>
        <translation>Nhân AdamW</translation>
    </message>
    <message>
        <source>Processes</source>
        <translation>Số tiến trình</translation>
    </message>
    <message>
        <source>One process a GPU; on a CPU node, processes that share the cores.</source>
        <translation>Mỗi GPU một tiến trình; trên máy chỉ có CPU, các tiến trình chia nhau số lõi.</translation>
    </message>
    <message>
        <source>ranks</source>
        <translation>tiến trình</translation>
    </message>
    <message>
        <source>ZeRO stage</source>
        <translation>Mức ZeRO</translation>
    </message>
    <message>
        <source>0 copies everything to each GPU; 1 splits optimizer states, 2 gradients too, 3 weights too.</source>
        <translation>0 sao mọi thứ tới từng GPU; 1 chia trạng thái bộ tối ưu, 2 chia thêm gradient, 3 chia thêm cả trọng số.</translation>
    </message>
    <message>
        <source>Offload optimizer to CPU</source>
        <translation>Chuyển bộ tối ưu sang CPU</translation>
    </message>
    <message>
        <source>Keeps master weights and moments in host memory, about 12 bytes a parameter; needs ZeRO 1 or more.</source>
        <translation>Giữ trọng số gốc và mô-men trong bộ nhớ máy chủ, khoảng 12 byte mỗi tham số; cần ZeRO 1 trở lên.</translation>
    </message>
    <message>
        <source>Offload weights to CPU</source>
        <translation>Chuyển trọng số sang CPU</translation>
    </message>
    <message>
        <source>Keeps weights in host memory between uses; needs ZeRO 3.</source>
        <translation>Giữ trọng số trong bộ nhớ máy chủ giữa các lần dùng; cần ZeRO 3.</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>Độ chính xác</translation>
    </message>
    <message>
        <source>Activation checkpointing</source>
        <translation>Checkpoint activation</translation>
    </message>
    <message>
        <source>Keeps only each layer&apos;s input and computes the rest again in the backward pass: about a third more compute for much less memory.</source>
        <translation>Chỉ giữ đầu vào của mỗi lớp và tính lại phần còn lại ở lượt lan truyền ngược: thêm khoảng một phần ba tính toán để đổi lấy bộ nhớ ít hơn nhiều.</translation>
    </message>
    <message>
        <source>Attention</source>
        <translation>Attention</translation>
    </message>
    <message>
        <source>The attention kernel: SDPA is PyTorch&apos;s own; eager is the plain computation, slow and memory-hungry; flash_attention_2 needs its package on the node.</source>
        <translation>Nhân tính attention: SDPA là của chính PyTorch; eager là phép tính thuần, chậm và tốn bộ nhớ; flash_attention_2 cần có gói của nó trên máy chạy.</translation>
    </message>
    <message>
        <source>Threads a rank</source>
        <translation>Số luồng mỗi tiến trình</translation>
    </message>
    <message>
        <source>CPU threads of each process; another number gives other bits on CPU. 0: cores divided by ranks.</source>
        <translation>Số luồng CPU của mỗi tiến trình; số khác sẽ cho kết quả khác từng bit trên CPU. 0: số lõi chia cho số tiến trình.</translation>
    </message>
    <message>
        <source>threads</source>
        <translation>luồng</translation>
    </message>
    <message>
        <source>Save weights every</source>
        <translation>Lưu trọng số sau mỗi</translation>
    </message>
    <message>
        <source>Consolidated safetensors every so many steps; 0: at the end only.</source>
        <translation>Ghi safetensors hợp nhất sau mỗi chừng ấy bước; 0: chỉ khi kết thúc.</translation>
    </message>
    <message>
        <source>Save full state every</source>
        <translation>Lưu toàn bộ trạng thái sau mỗi</translation>
    </message>
    <message>
        <source>Everything a bit-exact resume needs (16 bytes a parameter under AdamW and bf16), with the weights; 0: only when asked.</source>
        <translation>Mọi thứ cần để chạy tiếp chính xác từng bit (16 byte mỗi tham số với AdamW và bf16), kèm trọng số; 0: chỉ khi được yêu cầu.</translation>
    </message>
    <message>
        <source>Keep last</source>
        <translation>Giữ lại mới nhất</translation>
    </message>
    <message>
        <source>How many committed checkpoints stay; the oldest go first.</source>
        <translation>Giữ lại bao nhiêu checkpoint đã ghi xong; cái cũ nhất bị xóa trước.</translation>
    </message>
    <message>
        <source>checkpoints</source>
        <translation>checkpoint</translation>
    </message>
    <message>
        <source>Save at the end</source>
        <translation>Lưu khi kết thúc</translation>
    </message>
    <message>
        <source>Writes the final weights as consolidated safetensors.</source>
        <translation>Ghi trọng số cuối cùng thành safetensors hợp nhất.</translation>
    </message>
    <message>
        <source>Evaluate every</source>
        <translation>Đánh giá sau mỗi</translation>
    </message>
    <message>
        <source>Held-out loss every so many steps; 0: only before the first and after the last.</source>
        <translation>Tính loss trên tập giữ lại sau mỗi chừng ấy bước; 0: chỉ trước bước đầu và sau bước cuối.</translation>
    </message>
    <message>
        <source>Evaluate before step 1</source>
        <translation>Đánh giá trước bước 1</translation>
    </message>
    <message>
        <source>Takes the held-out loss of the base model first.</source>
        <translation>Tính loss của mô hình gốc trên tập giữ lại trước.</translation>
    </message>
    <message>
        <source>Evaluation batch</source>
        <translation>Batch đánh giá</translation>
    </message>
    <message>
        <source>Sequences a GPU evaluates at once; the loss does not depend on it.</source>
        <translation>Số chuỗi một GPU đánh giá cùng lúc; loss không phụ thuộc vào nó.</translation>
    </message>
    <message>
        <source>Sample prompts</source>
        <translation>Prompt mẫu</translation>
    </message>
    <message>
        <source>Sample length</source>
        <translation>Độ dài câu trả lời</translation>
    </message>
    <message>
        <source>The most tokens of an answer.</source>
        <translation>Số token tối đa của một câu trả lời.</translation>
    </message>
    <message>
        <source>Time for samples</source>
        <translation>Thời gian cho mẫu thử</translation>
    </message>
    <message>
        <source>The most time that the answers of one evaluation may take; prompts beyond it go without. 0: no limit.</source>
        <translation>Thời gian nhiều nhất cho các câu trả lời của một lần đánh giá; prompt vượt quá sẽ không được trả lời. 0: không giới hạn.</translation>
    </message>
    <message>
        <source>s</source>
        <translation>giây</translation>
    </message>
    <message>
        <source>Loader processes</source>
        <translation>Tiến trình nạp dữ liệu</translation>
    </message>
    <message>
        <source>Processes a rank reads batches with; 0 reads in the rank itself.</source>
        <translation>Số tiến trình mà mỗi tiến trình huấn luyện dùng để đọc batch; 0 là đọc ngay trong chính nó.</translation>
    </message>
    <message>
        <source>processes</source>
        <translation>tiến trình</translation>
    </message>
    <message>
        <source>Prefetch</source>
        <translation>Nạp trước</translation>
    </message>
    <message>
        <source>Batches each loader process holds ready.</source>
        <translation>Số batch mỗi tiến trình nạp giữ sẵn.</translation>
    </message>
    <message>
        <source>batches</source>
        <translation>batch</translation>
    </message>
    <message>
        <source>Pin memory</source>
        <translation>Ghim bộ nhớ</translation>
    </message>
    <message>
        <source>Copies batches through page-locked memory on GPU nodes.</source>
        <translation>Sao chép batch qua bộ nhớ khóa trang trên máy có GPU.</translation>
    </message>
    <message>
        <source>Deterministic</source>
        <translation>Tất định</translation>
    </message>
    <message>
        <source>Uses only deterministic kernels, so that a rerun on the same GPUs gives the same bits; can slow GPU steps by a tenth or more, measured per model. CPU runs are deterministic anyway.</source>
        <translation>Chỉ dùng các nhân tính tất định, để chạy lại trên cùng loại GPU cho kết quả giống từng bit; có thể làm bước GPU chậm đi một phần mười hoặc hơn, tùy mô hình. Lượt chạy CPU vốn đã tất định.</translation>
    </message>
    <message>
        <source>Loss rises</source>
        <translation>Loss tăng</translation>
    </message>
    <message>
        <source>Alerts where the running loss is this times its level before, or the last epoch&apos;s mean. 0: off.</source>
        <translation>Cảnh báo khi loss trung bình động bằng chừng này lần mức trước đó, hoặc trung bình của epoch trước. 0: tắt.</translation>
    </message>
    <message>
        <source>x level</source>
        <translation>× mức trước</translation>
    </message>
    <message>
        <source>Gradient spike</source>
        <translation>Gradient tăng vọt</translation>
    </message>
    <message>
        <source>Alerts where a gradient norm is this times the median of the last 100. 0: off.</source>
        <translation>Cảnh báo khi chuẩn gradient bằng chừng này lần trung vị của 100 giá trị gần nhất. 0: tắt.</translation>
    </message>
    <message>
        <source>x median</source>
        <translation>× trung vị</translation>
    </message>
    <message>
        <source>Held-out loss rises</source>
        <translation>Loss trên tập giữ lại tăng</translation>
    </message>
    <message>
        <source>Alerts after so many evaluations in a row above the best held-out loss while the training loss falls. 0: off.</source>
        <translation>Cảnh báo sau chừng ấy lần đánh giá liên tiếp cao hơn loss tốt nhất trên tập giữ lại trong khi loss huấn luyện giảm. 0: tắt.</translation>
    </message>
    <message>
        <source>Stall</source>
        <translation>Đình trệ</translation>
    </message>
    <message>
        <source>Alerts where no update came for this times the median step, at least a minute. 0: off.</source>
        <translation>Cảnh báo khi không có lần cập nhật nào trong chừng này lần thời gian bước trung vị, ít nhất một phút. 0: tắt.</translation>
    </message>
    <message>
        <source>x median step</source>
        <translation>× bước trung vị</translation>
    </message>
    <message>
        <source>Throughput drops</source>
        <translation>Thông lượng giảm</translation>
    </message>
    <message>
        <source>Alerts where the last 10 updates run below this share of the usual rate. 0: off.</source>
        <translation>Cảnh báo khi 10 lần cập nhật gần nhất chạy dưới tỷ lệ này của tốc độ thường. 0: tắt.</translation>
    </message>
    <message>
        <source>x usual</source>
        <translation>× mức thường</translation>
    </message>
    <message>
        <source>GPU too hot</source>
        <translation>GPU quá nóng</translation>
    </message>
    <message>
        <source>Alerts where a GPU is at this temperature or above. 0: off.</source>
        <translation>Cảnh báo khi một GPU đạt nhiệt độ này hoặc cao hơn. 0: tắt.</translation>
    </message>
    <message>
        <source>°C</source>
        <translation>°C</translation>
    </message>
    <message>
        <source>Memory full</source>
        <translation>Bộ nhớ đầy</translation>
    </message>
    <message>
        <source>Alerts where this share of a GPU&apos;s memory, or of the node&apos;s, is used. 0: off.</source>
        <translation>Cảnh báo khi tỷ lệ này của bộ nhớ một GPU, hoặc của máy chạy, đã được dùng. 0: tắt.</translation>
    </message>
    <message>
        <source>x total</source>
        <translation>× tổng</translation>
    </message>
    <message>
        <source>Disk fills</source>
        <translation>Đĩa sắp đầy</translation>
    </message>
    <message>
        <source>Alerts where the next checkpoint would not fit on the node&apos;s disk.</source>
        <translation>Cảnh báo khi checkpoint tiếp theo sẽ không vừa đĩa của máy chạy.</translation>
    </message>
    <message>
        <source>Slow rank</source>
        <translation>Tiến trình chậm</translation>
    </message>
    <message>
        <source>Alerts where one and the same rank takes this times the others&apos; median for its own rows and forward passes, ten updates long. 0: off.</source>
        <translation>Cảnh báo khi cùng một tiến trình mất bấy nhiêu lần trung vị của các tiến trình khác cho dòng và lượt tính xuôi của nó, suốt mười lần cập nhật. 0: tắt.</translation>
    </message>
    <message>
        <source>Restart after failures</source>
        <translation>Khởi động lại sau lỗi</translation>
    </message>
    <message>
        <source>How often the ranks are started again after one has failed, from the last full state. Never where memory ran out, which would happen again. 0: never.</source>
        <translation>Số lần các tiến trình được khởi động lại sau khi một tiến trình hỏng, từ trạng thái đầy đủ gần nhất. Không bao giờ khi hết bộ nhớ, vì sẽ lặp lại. 0: không bao giờ.</translation>
    </message>
    <message>
        <source>times</source>
        <translation>lần</translation>
    </message>
    <message>
        <source>Wait before a restart</source>
        <translation>Chờ trước khi khởi động lại</translation>
    </message>
    <message>
        <source>Seconds before the first restart; each further one waits twice as long, at most an hour.</source>
        <translation>Số giây trước lần khởi động lại đầu; mỗi lần sau chờ gấp đôi, nhiều nhất một giờ.</translation>
    </message>
    <message>
        <source>Loss is no number</source>
        <translation>Loss không phải là số</translation>
    </message>
    <message>
        <source>What happens at the update whose loss or gradient is nan or infinite: go on; stop; go back to the last full state and leave out that update&apos;s rows; or go back and train on at a lower learning rate.</source>
        <translation>Làm gì ở lần cập nhật có loss hay gradient là nan hoặc vô hạn: đi tiếp; dừng; quay về trạng thái đầy đủ gần nhất và bỏ các dòng của lần cập nhật đó; hoặc quay về và huấn luyện tiếp với tốc độ học thấp hơn.</translation>
    </message>
    <message>
        <source>Learning rate after going back</source>
        <translation>Tốc độ học sau khi quay lại</translation>
    </message>
    <message>
        <source>What the learning rate is multiplied by for the rest of the run when it is taken back.</source>
        <translation>Hệ số nhân vào tốc độ học cho phần còn lại của lượt chạy khi quay lại.</translation>
    </message>
    <message>
        <source>x learning rate</source>
        <translation>x tốc độ học</translation>
    </message>
    <message>
        <source>TensorBoard files</source>
        <translation>Tệp TensorBoard</translation>
    </message>
    <message>
        <source>The node writes event files into the run&apos;s folder, under the names that transformers gives: train/loss, eval/loss, train/learning_rate, train/grad_norm. Needs no package.</source>
        <translation>Máy ghi tệp sự kiện vào thư mục của lần chạy, với tên như transformers đặt: train/loss, eval/loss, train/learning_rate, train/grad_norm. Không cần gói nào.</translation>
    </message>
    <message>
        <source>Offline keeps a run on the node that `wandb sync` uploads later; online sends it while it goes on, with your key. Metrics and recipe only, never a row. Needs wandb on the node.</source>
        <translation>Ngoại tuyến giữ lần chạy trên máy để `wandb sync` tải lên sau; trực tuyến gửi đi ngay trong lúc chạy, bằng khóa của bạn. Chỉ số liệu và công thức, không bao giờ có dòng dữ liệu. Cần wandb trên máy.</translation>
    </message>
    <message>
        <source>MLflow</source>
        <translation>MLflow</translation>
    </message>
    <message>
        <source>Offline keeps a file store on the node; online sends to the server below. Metrics and recipe only, never a row. Needs mlflow or mlflow-skinny on the node.</source>
        <translation>Ngoại tuyến giữ kho tệp trên máy; trực tuyến gửi tới máy chủ bên dưới. Chỉ số liệu và công thức, không bao giờ có dòng dữ liệu. Cần mlflow hoặc mlflow-skinny trên máy.</translation>
    </message>
    <message>
        <source>trackio</source>
        <translation>trackio</translation>
    </message>
    <message>
        <source>Offline keeps a database on the node for `trackio show`; online sends to the Space below. Metrics and recipe only, never a row. Needs trackio on the node.</source>
        <translation>Ngoại tuyến giữ cơ sở dữ liệu trên máy cho `trackio show`; trực tuyến gửi tới Space bên dưới. Chỉ số liệu và công thức, không bao giờ có dòng dữ liệu. Cần trackio trên máy.</translation>
    </message>
    <message>
        <source>Tracker project</source>
        <translation>Dự án của trình theo dõi</translation>
    </message>
    <message>
        <source>The project, or MLflow&apos;s experiment, that runs are gathered in.</source>
        <translation>Dự án, hay thí nghiệm của MLflow, gom các lần chạy.</translation>
    </message>
    <message>
        <source>Name in trackers</source>
        <translation>Tên trong trình theo dõi</translation>
    </message>
    <message>
        <source>What the run is called there; empty for the job&apos;s own name.</source>
        <translation>Tên của lần chạy ở đó; để trống thì lấy tên công việc.</translation>
    </message>
    <message>
        <source>W&amp;B server</source>
        <translation>Máy chủ W&amp;B</translation>
    </message>
    <message>
        <source>The address of a W&amp;B server of your own; empty for the public one.</source>
        <translation>Địa chỉ máy chủ W&amp;B của riêng bạn; để trống thì dùng máy chủ công cộng.</translation>
    </message>
    <message>
        <source>MLflow server</source>
        <translation>Máy chủ MLflow</translation>
    </message>
    <message>
        <source>The address of the tracking server, without user and password.</source>
        <translation>Địa chỉ máy chủ theo dõi, không kèm tên và mật khẩu.</translation>
    </message>
    <message>
        <source>trackio Space</source>
        <translation>Space của trackio</translation>
    </message>
    <message>
        <source>The Hub Space that shows the runs: org/name.</source>
        <translation>Space trên Hub hiển thị các lần chạy: org/name.</translation>
    </message>
    <message>
        <source>Where the data lies.</source>
        <translation>Nơi chứa dữ liệu.</translation>
    </message>
    <message>
        <source>Takes only the first rows. 0 means all.</source>
        <translation>Chỉ lấy các dòng đầu. 0 nghĩa là lấy tất cả.</translation>
    </message>
    <message>
        <source>Replay</source>
        <translation>Ôn lại</translation>
    </message>
    <message>
        <source>General data against forgetting: it fills the replay share of every pass, its rows repeated where they are few, and none of it is held out. Its weight counts against other replayed sources only.</source>
        <translation>Dữ liệu chung để chống quên: nó lấp đầy tỷ lệ ôn lại của mỗi lượt qua, các dòng được lặp lại khi ít, và không dòng nào bị giữ lại. Trọng số của nó chỉ so với các nguồn ôn lại khác.</translation>
    </message>
    <message>
        <source>Finding</source>
        <translation>Phát hiện</translation>
    </message>
    <message>
        <source>The kind of finding whose rows are left out, such as empty_response.</source>
        <translation>Loại phát hiện có các dòng bị loại, chẳng hạn empty_response.</translation>
    </message>
    <message>
        <source>Rows</source>
        <translation>Các dòng</translation>
    </message>
    <message>
        <source>Likeness</source>
        <translation>Độ giống</translation>
    </message>
    <message>
        <source>1: rows that are equal word for word. Below: rows whose sets of word 5-grams overlap at least so much (Jaccard, estimated by MinHash).</source>
        <translation>1: các dòng giống nhau từng chữ. Dưới 1: các dòng có tập 5-gram từ trùng nhau ít nhất chừng ấy (Jaccard, ước lượng bằng MinHash).</translation>
    </message>
    <message>
        <source>Turns</source>
        <translation>Lượt nói</translation>
    </message>
    <message>
        <source>Whose turns it concerns; any: everybody&apos;s.</source>
        <translation>Áp dụng cho lượt nói của ai; mọi người: tất cả.</translation>
    </message>
    <message>
        <source>Tokens at most</source>
        <translation>Số token tối đa</translation>
    </message>
    <message>
        <source>What a turn keeps.</source>
        <translation>Phần một lượt nói giữ lại.</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Giữ</translation>
    </message>
    <message>
        <source>Whether the start or the end of a turn stays.</source>
        <translation>Giữ phần đầu hay phần cuối của lượt nói.</translation>
    </message>
    <message>
        <source>Balance</source>
        <translation>Cân bằng</translation>
    </message>
    <message>
        <source>Down: a seeded choice of the larger classes. Up: rows of the smaller classes come several times.</source>
        <translation>Giảm: chọn theo seed từ các lớp lớn. Tăng: dòng của các lớp nhỏ xuất hiện nhiều lần.</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>Tối đa</translation>
    </message>
    <message>
        <source>The largest class has at most this many times the rows of the smallest.</source>
        <translation>Lớp lớn nhất có tối đa chừng này lần số dòng của lớp nhỏ nhất.</translation>
    </message>
    <message>
        <source>Unicode NFC</source>
        <translation>Unicode NFC</translation>
    </message>
    <message>
        <source>Characters that look the same become the same.</source>
        <translation>Các ký tự trông giống nhau trở thành một.</translation>
    </message>
    <message>
        <source>Control characters</source>
        <translation>Ký tự điều khiển</translation>
    </message>
    <message>
        <source>Takes out control characters but line ends and tabs.</source>
        <translation>Bỏ các ký tự điều khiển, trừ xuống dòng và tab.</translation>
    </message>
    <message>
        <source>White space</source>
        <translation>Khoảng trắng</translation>
    </message>
    <message>
        <source>Cuts white space at both ends of a turn, and CRLF becomes LF.</source>
        <translation>Cắt khoảng trắng ở hai đầu lượt nói, và CRLF thành LF.</translation>
    </message>
    <message>
        <source>Wrong encoding</source>
        <translation>Sai bảng mã</translation>
    </message>
    <message>
        <source>Turns text that was read in the wrong encoding back (â€™ into ’).</source>
        <translation>Khôi phục văn bản đã bị đọc sai bảng mã (â€™ thành ’).</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Các lớp</translation>
    </message>
    <message>
        <source>One OLD=NEW each.</source>
        <translation>Mỗi hàng một CŨ=MỚI.</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>Tìm</translation>
    </message>
    <message>
        <source>The text, or the regular expression, that is replaced.</source>
        <translation>Văn bản, hoặc biểu thức chính quy, được thay thế.</translation>
    </message>
    <message>
        <source>Replace by</source>
        <translation>Thay bằng</translation>
    </message>
    <message>
        <source>What stands there instead; \1 is the expression&apos;s first group.</source>
        <translation>Nội dung thay vào; \1 là nhóm đầu của biểu thức.</translation>
    </message>
    <message>
        <source>Regular expression</source>
        <translation>Biểu thức chính quy</translation>
    </message>
    <message>
        <source>Whether the text to find is a regular expression of Python.</source>
        <translation>Văn bản cần tìm có phải biểu thức chính quy của Python không.</translation>
    </message>
    <message>
        <source>Augment</source>
        <translation>Tăng cường</translation>
    </message>
    <message>
        <source>Paraphrase: a seq2seq model says it again. Back-translation: to another language and back. Endpoint: an HTTP address does it.</source>
        <translation>Diễn đạt lại: một mô hình seq2seq nói lại. Dịch vòng: sang ngôn ngữ khác rồi dịch ngược. Endpoint: một địa chỉ HTTP làm việc đó.</translation>
    </message>
    <message>
        <source>A seq2seq model on the node: it paraphrases, or translates there.</source>
        <translation>Một mô hình seq2seq trên máy chạy: nó diễn đạt lại, hoặc dịch đi.</translation>
    </message>
    <message>
        <source>Model back</source>
        <translation>Mô hình dịch ngược</translation>
    </message>
    <message>
        <source>Translates back; empty where one model knows both directions.</source>
        <translation>Dịch ngược; để trống khi một mô hình biết cả hai chiều.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Ngôn ngữ</translation>
    </message>
    <message>
        <source>The language code the model knows the rows&apos; language by.</source>
        <translation>Mã ngôn ngữ của các dòng mà mô hình hiểu.</translation>
    </message>
    <message>
        <source>Other language</source>
        <translation>Ngôn ngữ khác</translation>
    </message>
    <message>
        <source>The language code translated to.</source>
        <translation>Mã ngôn ngữ được dịch sang.</translation>
    </message>
    <message>
        <source>Prefix</source>
        <translation>Tiền tố</translation>
    </message>
    <message>
        <source>What stands before each text for models that need it, such as &apos;paraphrase: &apos;.</source>
        <translation>Phần đứng trước mỗi văn bản cho các mô hình cần nó, chẳng hạn &apos;paraphrase: &apos;.</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Tỷ lệ</translation>
    </message>
    <message>
        <source>The share of the training rows that get such a row beside them.</source>
        <translation>Tỷ lệ dòng huấn luyện có thêm một dòng như vậy bên cạnh.</translation>
    </message>
    <message>
        <source>Whose turns are said in other words.</source>
        <translation>Lượt nói của ai được diễn đạt lại.</translation>
    </message>
    <message>
        <source>The longest text that is made.</source>
        <translation>Văn bản dài nhất được tạo ra.</translation>
    </message>
    <message>
        <source>Shortest</source>
        <translation>Ngắn nhất</translation>
    </message>
    <message>
        <source>The least length against the original; shorter ones are rejected.</source>
        <translation>Độ dài ít nhất so với bản gốc; bản ngắn hơn bị loại.</translation>
    </message>
    <message>
        <source>Longest</source>
        <translation>Dài nhất</translation>
    </message>
    <message>
        <source>The greatest length against the original; longer ones are rejected.</source>
        <translation>Độ dài nhiều nhất so với bản gốc; bản dài hơn bị loại.</translation>
    </message>
    <message>
        <source>Same language</source>
        <translation>Cùng ngôn ngữ</translation>
    </message>
    <message>
        <source>Rejects what is in another language than the original.</source>
        <translation>Loại bản có ngôn ngữ khác bản gốc.</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Địa chỉ</translation>
    </message>
    <message>
        <source>The endpoint&apos;s http or https address. Rows leave the node for it.</source>
        <translation>Địa chỉ http hoặc https của endpoint. Các dòng rời máy chạy để tới đó.</translation>
    </message>
    <message>
        <source>Price a row</source>
        <translation>Giá mỗi dòng</translation>
    </message>
    <message>
        <source>What the endpoint asks for a row, for the estimate.</source>
        <translation>Endpoint tính bao nhiêu cho một dòng, để ước lượng.</translation>
    </message>
    <message>
        <source>Rows may leave</source>
        <translation>Cho phép gửi dòng đi</translation>
    </message>
    <message>
        <source>Has to be on before any row is sent to an endpoint.</source>
        <translation>Phải bật trước khi bất kỳ dòng nào được gửi tới endpoint.</translation>
    </message>
</context>
<context>
    <name>KeyPanel</name>
    <message>
        <source>Public key</source>
        <translation>Khóa công khai</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Sao chép</translation>
    </message>
    <message>
        <source>Copy the public key</source>
        <translation>Sao chép khóa công khai</translation>
    </message>
    <message>
        <source>Paste this line where your provider asks for an SSH key, or into ~/.ssh/authorized_keys there.</source>
        <translation>Dán dòng này vào chỗ nhà cung cấp hỏi khóa SSH, hoặc vào ~/.ssh/authorized_keys ở đó.</translation>
    </message>
</context>
<context>
    <name>KnobField</name>
    <message>
        <source>Help on {}</source>
        <translation>Trợ giúp về {}</translation>
    </message>
    <message>
        <source>Back to {}</source>
        <translation>Trở về {}</translation>
    </message>
    <message>
        <source>nothing</source>
        <translation>trống</translation>
    </message>
    <message>
        <source>{back}, as in {preset}</source>
        <translation>{back}, như trong {preset}</translation>
    </message>
</context>
<context>
    <name>LaunchPage</name>
    <message>
        <source>Launch</source>
        <translation>Khởi chạy</translation>
    </message>
    <message>
        <source>Launch the run</source>
        <translation>Khởi chạy lượt chạy</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Cancel the launch</source>
        <translation>Hủy khởi chạy</translation>
    </message>
    <message>
        <source>Before the launch</source>
        <translation>Trước khi khởi chạy</translation>
    </message>
    <message>
        <source>The model has been looked at</source>
        <translation>Đã xem xét mô hình</translation>
    </message>
    <message>
        <source>The data has been read</source>
        <translation>Đã đọc dữ liệu</translation>
    </message>
    <message>
        <source>not chosen yet</source>
        <translation>chưa chọn</translation>
    </message>
    <message>
        <source>The node answers</source>
        <translation>Máy chạy có trả lời</translation>
    </message>
    <message>
        <source>missing there: {names}</source>
        <translation>ở đó còn thiếu: {names}</translation>
    </message>
    <message>
        <source>no Python with the trainer&apos;s packages was found</source>
        <translation>không tìm thấy Python nào có các gói để huấn luyện</translation>
    </message>
    <message>
        <source>Driver, CUDA and torch fit together</source>
        <translation>Driver, CUDA và torch khớp nhau</translation>
    </message>
    <message>
        <source>The GPUs are free</source>
        <translation>Các GPU đang rảnh</translation>
    </message>
    <message>
        <source>The host&apos;s memory is enough</source>
        <translation>Bộ nhớ máy đủ dùng</translation>
    </message>
    <message>
        <source>The disk takes the checkpoints</source>
        <translation>Ổ đĩa chứa được các checkpoint</translation>
    </message>
    <message>
        <source>Shared memory is enough</source>
        <translation>Bộ nhớ dùng chung đủ dùng</translation>
    </message>
    <message>
        <source>The limits of the account are enough</source>
        <translation>Giới hạn của tài khoản đủ dùng</translation>
    </message>
    <message>
        <source>The processes can find each other</source>
        <translation>Các tiến trình tìm thấy nhau</translation>
    </message>
    <message>
        <source>The clocks agree</source>
        <translation>Đồng hồ khớp nhau</translation>
    </message>
    <message>
        <source>The run outlives the logout</source>
        <translation>Lượt chạy tiếp tục sau khi đăng xuất</translation>
    </message>
    <message>
        <source>The attention that the job asks for is there</source>
        <translation>Loại attention mà công việc yêu cầu đã có</translation>
    </message>
    <message>
        <source>The libraries of the trackers are there</source>
        <translation>Các thư viện của bộ theo dõi đã có</translation>
    </message>
    <message>
        <source>The trainer&apos;s packages are there</source>
        <translation>Có đủ các gói để huấn luyện</translation>
    </message>
    <message>
        <source>see the warning</source>
        <translation>xem cảnh báo</translation>
    </message>
    <message>
        <source>{} problem</source>
        <translation>{} vấn đề</translation>
    </message>
    <message>
        <source>{} problems</source>
        <translation>{} vấn đề</translation>
    </message>
    <message>
        <source>The job can start</source>
        <translation>Công việc có thể bắt đầu</translation>
    </message>
    <message>
        <source>sent once, {size}</source>
        <translation>gửi một lần, {size}</translation>
    </message>
    <message>
        <source>sent once, verified by hash</source>
        <translation>gửi một lần, kiểm mã băm</translation>
    </message>
    <message>
        <source>stays where it is, {size}</source>
        <translation>giữ nguyên chỗ, {size}</translation>
    </message>
    <message>
        <source>stays where it is</source>
        <translation>giữ nguyên chỗ</translation>
    </message>
    <message>
        <source>Batch {total} = {micro} × {accumulation} × {ranks}</source>
        <translation>Batch {total} = {micro} × {accumulation} × {ranks}</translation>
    </message>
    <message>
        <source>{} step</source>
        <translation>{} bước</translation>
    </message>
    <message>
        <source>{} steps</source>
        <translation>{} bước</translation>
    </message>
    <message>
        <source>Node, what is sent, problems</source>
        <translation>Máy chạy, những gì được gửi, vấn đề</translation>
    </message>
    <message>
        <source>What will be sent</source>
        <translation>Những gì sẽ được gửi</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Mô hình</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Dữ liệu</translation>
    </message>
    <message>
        <source>Held-out</source>
        <translation>Tập giữ lại</translation>
    </message>
    <message>
        <source>The agent is sent too, under 2 MiB, once a version. Nothing on the node is overwritten.</source>
        <translation>Tác tử cũng được gửi, dưới 2 MiB, mỗi phiên bản một lần. Không có gì trên máy bị ghi đè.</translation>
    </message>
</context>
<context>
    <name>LengthHistogram</name>
    <message>
        <source>Distribution of token counts</source>
        <translation>Phân bố số token</translation>
    </message>
    <message>
        <source>The sequence length is {length} tokens; arrow keys change it.</source>
        <translation>Độ dài chuỗi là {length} token; dùng phím mũi tên để thay đổi.</translation>
    </message>
    <message>
        <source>length {count}</source>
        <translation>độ dài {count}</translation>
    </message>
</context>
<context>
    <name>LengthsCard</name>
    <message>
        <source>Tokens a row</source>
        <translation>Số token mỗi dòng</translation>
    </message>
    <message>
        <source>median {median}  ·  mean {mean}  ·  longest {longest}</source>
        <translation>trung vị {median}  ·  trung bình {mean}  ·  dài nhất {longest}</translation>
    </message>
    <message>
        <source>No row is longer than {} tokens.</source>
        <translation>Không dòng nào dài hơn {} token.</translation>
    </message>
    <message>
        <source>{} row is longer</source>
        <translation>{} dòng dài hơn</translation>
    </message>
    <message>
        <source>{} rows are longer</source>
        <translation>{} dòng dài hơn</translation>
    </message>
    <message>
        <source>{over} ({share})</source>
        <translation>{over} ({share})</translation>
    </message>
    <message>
        <source>they are dropped</source>
        <translation>bị bỏ</translation>
    </message>
    <message>
        <source>split into {} pieces</source>
        <translation>chia thành {} phần</translation>
    </message>
    <message>
        <source>{tokens} trained tokens are cut ({share})</source>
        <translation>{tokens} token được học bị cắt ({share})</translation>
    </message>
    <message>
        <source>{} row trains nothing</source>
        <translation>{} dòng không học gì</translation>
    </message>
    <message>
        <source>{} rows train nothing</source>
        <translation>{} dòng không học gì</translation>
    </message>
    <message>
        <source>{} sequences an update</source>
        <translation>{} chuỗi mỗi lần cập nhật</translation>
    </message>
    <message>
        <source>{} sequence an update</source>
        <translation>{} chuỗi mỗi lần cập nhật</translation>
    </message>
    <message>
        <source>{} step an epoch</source>
        <translation>{} bước mỗi epoch</translation>
    </message>
    <message>
        <source>{} steps an epoch</source>
        <translation>{} bước mỗi epoch</translation>
    </message>
    <message>
        <source>{tokens} tokens an epoch, {trained} trained</source>
        <translation>{tokens} token mỗi epoch, {trained} được học</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Response</source>
        <translation>Câu trả lời</translation>
    </message>
    <message>
        <source>Whole row</source>
        <translation>Cả dòng</translation>
    </message>
    <message>
        <source>Classes</source>
        <translation>Các lớp</translation>
    </message>
    <message>
        <source>Tokens: {}</source>
        <translation>Token: {}</translation>
    </message>
    <message>
        <source>Rows of each class</source>
        <translation>Số dòng của mỗi lớp</translation>
    </message>
</context>
<context>
    <name>LibraryPage</name>
    <message>
        <source>All runs</source>
        <translation>Mọi lượt chạy</translation>
    </message>
    <message>
        <source>Search the runs</source>
        <translation>Tìm lượt chạy</translation>
    </message>
    <message>
        <source>Words and conditions: lion  loss&lt;1.2  learning_rate&gt;=1e-5  tags=baseline</source>
        <translation>Từ và điều kiện: lion  loss&lt;1.2  learning_rate&gt;=1e-5  tags=baseline</translation>
    </message>
    <message>
        <source>Every word has to be in a run&apos;s name, node, state, labels or settings, and every condition has to hold. A condition is a result or a setting, one of &lt; &lt;= &gt; &gt;= = != and a value, without spaces.</source>
        <translation>Mỗi từ phải có trong tên, máy chạy, trạng thái, nhãn hoặc thiết lập của lượt chạy, và mọi điều kiện phải đúng. Một điều kiện gồm một kết quả hoặc thiết lập, một trong &lt; &lt;= &gt; &gt;= = != và một giá trị, không có dấu cách.</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>Đã lưu trữ</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Thêm</translation>
    </message>
    <message>
        <source>More to do with the chosen runs</source>
        <translation>Việc khác với các lượt đã chọn</translation>
    </message>
    <message>
        <source>Import a run…</source>
        <translation>Nhập một lần chạy…</translation>
    </message>
    <message>
        <source>Take in a run that lies in a folder: Luthier&apos;s, TensorBoard&apos;s, or an offline one of W&amp;B</source>
        <translation>Nhận một lần chạy nằm trong thư mục: của Luthier, của TensorBoard, hoặc bản ngoại tuyến của W&amp;B</translation>
    </message>
    <message>
        <source>No run has anything called {}. Try loss, state, tags or a setting such as learning_rate.</source>
        <translation>Không lượt chạy nào có mục tên {}. Hãy thử loss, state, tags hoặc một thiết lập như learning_rate.</translation>
    </message>
    <message>
        <source>There is no run yet. Each one that is launched here, or found on a node, is listed.</source>
        <translation>Chưa có lượt chạy nào. Mọi lượt được khởi chạy ở đây hoặc tìm thấy trên máy chạy đều được liệt kê.</translation>
    </message>
    <message>
        <source>{} run</source>
        <translation>{} lượt chạy</translation>
    </message>
    <message>
        <source>{} runs</source>
        <translation>{} lượt chạy</translation>
    </message>
    <message>
        <source>{} chosen</source>
        <translation>đã chọn {}</translation>
    </message>
    <message>
        <source>reading their settings…</source>
        <translation>đang đọc thiết lập…</translation>
    </message>
    <message>
        <source>Folder of the run</source>
        <translation>Thư mục của lần chạy</translation>
    </message>
</context>
<context>
    <name>LineChart</name>
    <message>
        <source>step</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>Show the whole x axis</source>
        <translation>Hiện toàn bộ trục x</translation>
    </message>
    <message>
        <source>outliers clipped</source>
        <translation>đã cắt giá trị ngoại lai</translation>
    </message>
</context>
<context>
    <name>LinkRow</name>
    <message>
        <source>Try now</source>
        <translation>Thử ngay</translation>
    </message>
    <message>
        <source>Try the link now</source>
        <translation>Thử kết nối lại ngay</translation>
    </message>
    <message>
        <source>Look at it…</source>
        <translation>Xem…</translation>
    </message>
    <message>
        <source>Look at what the link needs</source>
        <translation>Xem kết nối đang cần gì</translation>
    </message>
</context>
<context>
    <name>LogDrawer</name>
    <message>
        <source>Log</source>
        <translation>Nhật ký</translation>
    </message>
    <message>
        <source>Open or close the log</source>
        <translation>Mở hoặc đóng nhật ký</translation>
    </message>
    <message>
        <source>Nothing was printed yet.</source>
        <translation>Chưa có gì được in ra.</translation>
    </message>
</context>
<context>
    <name>LogPage</name>
    <message>
        <source>Log</source>
        <translation>Nhật ký</translation>
    </message>
</context>
<context>
    <name>LogView</name>
    <message>
        <source>Log lines</source>
        <translation>Các dòng nhật ký</translation>
    </message>
    <message>
        <source>Find in the log</source>
        <translation>Tìm trong nhật ký</translation>
    </message>
    <message>
        <source>Which process&apos;s lines are shown</source>
        <translation>Hiện các dòng của tiến trình nào</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>Bám theo</translation>
    </message>
    <message>
        <source>All processes</source>
        <translation>Mọi tiến trình</translation>
    </message>
    <message>
        <source>Process {rank}</source>
        <translation>Tiến trình {rank}</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Tiếp</translation>
    </message>
    <message>
        <source>Find the next place</source>
        <translation>Tìm chỗ tiếp theo</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>không tìm thấy</translation>
    </message>
</context>
<context>
    <name>LossMarks</name>
    <message>
        <source>checkpoint</source>
        <translation>checkpoint</translation>
    </message>
    <message>
        <source>evaluation</source>
        <translation>đánh giá</translation>
    </message>
    <message>
        <source>resume</source>
        <translation>chạy tiếp</translation>
    </message>
    <message>
        <source>end of an epoch</source>
        <translation>hết một epoch</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Launch</source>
        <translation>Khởi chạy</translation>
    </message>
    <message>
        <source>{} runs</source>
        <translation>{} lượt chạy</translation>
    </message>
    <message>
        <source>beside each other</source>
        <translation>cạnh nhau</translation>
    </message>
    <message>
        <source>All runs</source>
        <translation>Mọi lượt chạy</translation>
    </message>
    <message>
        <source>of this library</source>
        <translation>của thư viện này</translation>
    </message>
    <message>
        <source>Not launched yet: {}</source>
        <translation>Chưa khởi chạy: {}</translation>
    </message>
    <message>
        <source>Go to {}</source>
        <translation>Đến {}</translation>
    </message>
    <message>
        <source>job</source>
        <translation>công việc</translation>
    </message>
    <message>
        <source>run</source>
        <translation>lượt chạy</translation>
    </message>
    <message>
        <source>Launching…</source>
        <translation>Đang khởi chạy…</translation>
    </message>
    <message>
        <source>of {job}, on {node}</source>
        <translation>của {job}, trên {node}</translation>
    </message>
    <message>
        <source>{what} since {time}</source>
        <translation>{what}, từ lúc {time}</translation>
    </message>
    <message>
        <source>Icons and charts cannot be drawn: {}</source>
        <translation>Không vẽ được biểu tượng và biểu đồ: {}</translation>
    </message>
</context>
<context>
    <name>MakingRow</name>
    <message>
        <source>Make the rows</source>
        <translation>Tạo các dòng</translation>
    </message>
    <message>
        <source>Stop making rows</source>
        <translation>Dừng tạo các dòng</translation>
    </message>
    <message>
        <source>Makes the rows of all steps that add some; what is made is kept and not made again.</source>
        <translation>Tạo các dòng của mọi bước thêm dòng; những gì đã tạo được giữ lại và không tạo lần nữa.</translation>
    </message>
    <message>
        <source>Turn on “Rows may leave” in the step first.</source>
        <translation>Hãy bật “Cho phép gửi dòng đi” trong bước này trước.</translation>
    </message>
    <message>
        <source>Making rows</source>
        <translation>Đang tạo các dòng</translation>
    </message>
    <message>
        <source>Says about {} row in other words.</source>
        <translation>Diễn đạt lại khoảng {} dòng.</translation>
    </message>
    <message>
        <source>Says about {} rows in other words.</source>
        <translation>Diễn đạt lại khoảng {} dòng.</translation>
    </message>
    <message>
        <source>Says rows in other words.</source>
        <translation>Diễn đạt lại các dòng.</translation>
    </message>
    <message>
        <source>the endpoint</source>
        <translation>endpoint</translation>
    </message>
    <message>
        <source>Rows leave this machine for {host}: {rows}.</source>
        <translation>Các dòng rời máy này để tới {host}: {rows}.</translation>
    </message>
    <message>
        <source>about {}</source>
        <translation>khoảng {}</translation>
    </message>
    <message>
        <source>how many is not known</source>
        <translation>chưa biết bao nhiêu</translation>
    </message>
    <message>
        <source>The step names no price a row.</source>
        <translation>Bước này không ghi giá mỗi dòng.</translation>
    </message>
    <message>
        <source>Price: {each} a row.</source>
        <translation>Giá: {each} mỗi dòng.</translation>
    </message>
    <message>
        <source>Price: {each} a row, about {total} in all.</source>
        <translation>Giá: {each} mỗi dòng, tổng cộng khoảng {total}.</translation>
    </message>
</context>
<context>
    <name>MeaningCard</name>
    <message>
        <source>What this means</source>
        <translation>Điều này có nghĩa là</translation>
    </message>
    <message>
        <source>optimizer steps</source>
        <translation>bước tối ưu</translation>
    </message>
    <message>
        <source>epochs of {} step</source>
        <translation>epoch, mỗi epoch {} bước</translation>
    </message>
    <message>
        <source>epochs of {} steps</source>
        <translation>epoch, mỗi epoch {} bước</translation>
    </message>
    <message>
        <source>epochs</source>
        <translation>epoch</translation>
    </message>
    <message>
        <source>warmup steps</source>
        <translation>bước khởi động</translation>
    </message>
    <message>
        <source>sequences an update, {} tokens at most</source>
        <translation>chuỗi mỗi lần cập nhật, tối đa {} token</translation>
    </message>
    <message>
        <source>tokens seen</source>
        <translation>token được xem</translation>
    </message>
    <message>
        <source>tokens seen, {} supervised</source>
        <translation>token được xem, {} được học</translation>
    </message>
    <message>
        <source>{} sequence</source>
        <translation>{} chuỗi</translation>
    </message>
    <message>
        <source>{} sequences</source>
        <translation>{} chuỗi</translation>
    </message>
    <message>
        <source>{} accumulation</source>
        <translation>tích lũy {}</translation>
    </message>
    <message>
        <source>{} GPU</source>
        <translation>{} GPU</translation>
    </message>
    <message>
        <source>{} GPUs</source>
        <translation>{} GPU</translation>
    </message>
    <message>
        <source>{} process</source>
        <translation>{} tiến trình</translation>
    </message>
    <message>
        <source>{} processes</source>
        <translation>{} tiến trình</translation>
    </message>
    <message>
        <source>{sequences} × {accumulation} × {ranks} = {product}.</source>
        <translation>{sequences} × {accumulation} × {ranks} = {product}.</translation>
    </message>
    <message>
        <source>The number of steps follows from the data, which is not read yet.</source>
        <translation>Số bước phụ thuộc vào dữ liệu, mà dữ liệu chưa được đọc.</translation>
    </message>
    <message>
        <source>Evaluation every step</source>
        <translation>Đánh giá sau mỗi bước</translation>
    </message>
    <message>
        <source>Evaluation every {} steps</source>
        <translation>Đánh giá sau mỗi {} bước</translation>
    </message>
    <message>
        <source>Evaluation before the first step and after the last</source>
        <translation>Đánh giá trước bước đầu và sau bước cuối</translation>
    </message>
    <message>
        <source>Evaluation after the last step</source>
        <translation>Đánh giá sau bước cuối</translation>
    </message>
    <message>
        <source>{evaluated}; a checkpoint every {steps}.</source>
        <translation>{evaluated}; một checkpoint sau mỗi {steps} bước.</translation>
    </message>
    <message>
        <source>{}; weights are saved at the end.</source>
        <translation>{}; trọng số được lưu khi kết thúc.</translation>
    </message>
</context>
<context>
    <name>MeasuredCard</name>
    <message>
        <source>Estimated and measured</source>
        <translation>Ước tính và đo được</translation>
    </message>
    <message>
        <source>Run a memory probe</source>
        <translation>Chạy phép đo bộ nhớ</translation>
    </message>
    <message>
        <source>Trains the longest batch five times on the node, as a run of its own that keeps nothing.</source>
        <translation>Huấn luyện batch dài nhất năm lần trên máy chạy, như một lượt chạy riêng không giữ lại gì.</translation>
    </message>
    <message>
        <source>Trace on the node</source>
        <translation>Lần vết trên máy chạy</translation>
    </message>
    <message>
        <source>Lets torch count a step of this model on one GPU, without its weights.</source>
        <translation>Để torch đếm một bước của mô hình này trên một GPU, không cần trọng số.</translation>
    </message>
    <message>
        <source>Cancel the trace</source>
        <translation>Hủy lần vết</translation>
    </message>
    <message>
        <source>torch is counting…</source>
        <translation>torch đang đếm…</translation>
    </message>
    <message>
        <source>A run is being launched.</source>
        <translation>Một lượt chạy đang được khởi chạy.</translation>
    </message>
    <message>
        <source>The probe is at step {} of {}.</source>
        <translation>Phép đo đang ở bước {} trên {}.</translation>
    </message>
    <message>
        <source>The newest run of this model on this node:</source>
        <translation>Lượt chạy mới nhất của mô hình này trên máy này:</translation>
    </message>
    <message>
        <source>No run of this model was measured on this node. A probe takes five updates.</source>
        <translation>Chưa lượt chạy nào của mô hình này được đo trên máy này. Một phép đo mất năm lần cập nhật.</translation>
    </message>
    <message>
        <source>estimated</source>
        <translation>ước tính</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>đo được</translation>
    </message>
</context>
<context>
    <name>MemoryCard</name>
    <message>
        <source>Take it back</source>
        <translation>Bỏ đi</translation>
    </message>
    <message>
        <source>Take the correction back</source>
        <translation>Bỏ phần hiệu chỉnh</translation>
    </message>
    <message>
        <source>Each {}</source>
        <translation>Mỗi {}</translation>
    </message>
    <message>
        <source>Each GPU</source>
        <translation>Mỗi GPU</translation>
    </message>
    <message>
        <source>Each GPU of {}</source>
        <translation>Mỗi GPU của {}</translation>
    </message>
    <message>
        <source>Host memory of {}</source>
        <translation>Bộ nhớ máy chủ của {}</translation>
    </message>
    <message>
        <source>Once a model is chosen, what each GPU will hold stands here.</source>
        <translation>Khi đã chọn mô hình, ở đây sẽ hiện những gì mỗi GPU phải giữ.</translation>
    </message>
    <message>
        <source>The number of parameters of this model could not be read from its files.</source>
        <translation>Không đọc được số tham số của mô hình này từ các tệp của nó.</translation>
    </message>
    <message>
        <source>{} of {}</source>
        <translation>{} trên {}</translation>
    </message>
    <message>
        <source>{} process, estimated</source>
        <translation>{} tiến trình, ước tính</translation>
    </message>
    <message>
        <source>{} processes together, estimated</source>
        <translation>tổng của {} tiến trình, ước tính</translation>
    </message>
    <message>
        <source>{} GPU</source>
        <translation>{} GPU</translation>
    </message>
    <message>
        <source>{} GPUs</source>
        <translation>{} GPU</translation>
    </message>
    <message>
        <source>ZeRO {} over {}, estimated</source>
        <translation>ZeRO {} trên {}, ước tính</translation>
    </message>
    <message>
        <source>The peak is in phase: {}.</source>
        <translation>Đỉnh nằm ở pha: {}.</translation>
    </message>
    <message>
        <source>Likely between {} and {} on the card; tensors alone {}.</source>
        <translation>Có thể từ {} đến {} trên card; riêng các tensor là {}.</translation>
    </message>
    <message>
        <source>Host memory of a node about {}.</source>
        <translation>Bộ nhớ máy chủ của một máy chạy khoảng {}.</translation>
    </message>
    <message>
        <source>Activations and logits are not counted: the model&apos;s type has no formula. A trace counts them.</source>
        <translation>Kích hoạt và logit không được tính: loại mô hình này chưa có công thức. Việc lần vết sẽ tính chúng.</translation>
    </message>
</context>
<context>
    <name>MemoryPage</name>
    <message>
        <source>ZeRO {}</source>
        <translation>ZeRO {}</translation>
    </message>
    <message>
        <source>What each GPU will hold</source>
        <translation>Mỗi GPU sẽ chứa những gì</translation>
    </message>
    <message>
        <source>Every phase under every ZeRO stage stands here, term by term, before anything is rented. It follows from the model&apos;s config.json and the recipe.</source>
        <translation>Mọi pha ở mọi mức ZeRO hiện ra tại đây, từng số hạng một, trước khi thuê bất cứ thứ gì. Chúng được suy ra từ config.json của mô hình và công thức.</translation>
    </message>
    <message>
        <source>Choose a model…</source>
        <translation>Chọn mô hình…</translation>
    </message>
    <message>
        <source>one GPU</source>
        <translation>một GPU</translation>
    </message>
    <message>
        <source>each of {} GPUs</source>
        <translation>mỗi GPU trong {} GPU</translation>
    </message>
    <message>
        <source>{} process</source>
        <translation>{} tiến trình</translation>
    </message>
    <message>
        <source>{} processes</source>
        <translation>{} tiến trình</translation>
    </message>
    <message>
        <source>By ZeRO stage, on {}</source>
        <translation>Theo mức ZeRO, trên {}</translation>
    </message>
    <message>
        <source>By number of GPUs, each under ZeRO {}</source>
        <translation>Theo số GPU, mỗi GPU dùng ZeRO {}</translation>
    </message>
    <message>
        <source>By number of processes, together under ZeRO {}</source>
        <translation>Theo số tiến trình, tổng cộng với ZeRO {}</translation>
    </message>
    <message>
        <source>× {}</source>
        <translation>× {}</translation>
    </message>
</context>
<context>
    <name>ModelPicker</name>
    <message>
        <source>Model</source>
        <translation>Mô hình</translation>
    </message>
    <message>
        <source>Folder of the model on this computer</source>
        <translation>Thư mục mô hình trên máy này</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>Dùng mô hình này</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Máy này</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>A run</source>
        <translation>Một lượt chạy</translation>
    </message>
    <message>
        <source>Hub</source>
        <translation>Hub</translation>
    </message>
    <message>
        <source>Where the model lies</source>
        <translation>Nơi chứa mô hình</translation>
    </message>
    <message>
        <source>A folder with config.json, the tokenizer&apos;s files and safetensors. It is sent to the node at the launch, verified by hash, and only once.</source>
        <translation>Thư mục có config.json, các tệp tokenizer và safetensors. Nó được gửi tới máy chạy lúc khởi chạy, kiểm tra bằng mã băm, và chỉ gửi một lần.</translation>
    </message>
    <message>
        <source>Choose a node first; then its folders appear here.</source>
        <translation>Hãy chọn máy chạy trước; khi đó các thư mục của máy ấy hiện ra ở đây.</translation>
    </message>
    <message>
        <source>Runs whose result can be trained further</source>
        <translation>Các lượt chạy có kết quả để huấn luyện tiếp</translation>
    </message>
    <message>
        <source>{name}  ·  step {step}  ·  {state}</source>
        <translation>{name}  ·  bước {step}  ·  {state}</translation>
    </message>
    <message>
        <source>the node</source>
        <translation>máy chạy</translation>
    </message>
    <message>
        <source>No run on {node} has a result yet; once one has saved, it can be trained further from here.</source>
        <translation>Chưa lượt chạy nào trên {node} có kết quả; khi một lượt đã lưu, có thể huấn luyện tiếp từ đây.</translation>
    </message>
    <message>
        <source>Use its newest checkpoint</source>
        <translation>Dùng checkpoint mới nhất của nó</translation>
    </message>
    <message>
        <source>Hub id of the model</source>
        <translation>Mã Hub của mô hình</translation>
    </message>
    <message>
        <source>A model of the Hub by its id. The chosen node fetches its safetensors, configuration and tokenizer and pins the commit. A gated model needs HF_TOKEN in Luthier&apos;s environment.</source>
        <translation>Một mô hình trên Hub, gọi theo mã. Máy chạy đã chọn sẽ tải safetensors, cấu hình và tokenizer của nó và ghim lại commit. Mô hình có kiểm soát truy cập cần HF_TOKEN trong môi trường của Luthier.</translation>
    </message>
    <message>
        <source>A Hub id reads like org/name, such as HuggingFaceTB/SmolLM2-135M-Instruct.</source>
        <translation>Mã Hub có dạng tổ-chức/tên, chẳng hạn HuggingFaceTB/SmolLM2-135M-Instruct.</translation>
    </message>
    <message>
        <source>This run has saved no checkpoint.</source>
        <translation>Lượt chạy này chưa lưu checkpoint nào.</translation>
    </message>
</context>
<context>
    <name>MonitorPage</name>
    <message>
        <source>Monitor</source>
        <translation>Theo dõi</translation>
    </message>
    <message>
        <source>State and charts</source>
        <translation>Trạng thái và biểu đồ</translation>
    </message>
</context>
<context>
    <name>NodeCard</name>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Chọn…</translation>
    </message>
    <message>
        <source>Choose the node</source>
        <translation>Chọn máy chạy</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Hỏi lại</translation>
    </message>
    <message>
        <source>Ask the node what it has</source>
        <translation>Hỏi xem máy chạy có những gì</translation>
    </message>
    <message>
        <source>No node is chosen</source>
        <translation>Chưa chọn máy chạy</translation>
    </message>
    <message>
        <source>a run needs a machine to go to; this computer is one</source>
        <translation>lượt chạy cần một máy để chạy; máy này cũng dùng được</translation>
    </message>
    <message>
        <source>{cores} cores, {memory}, {disk} free on disk</source>
        <translation>{cores} lõi, {memory}, đĩa còn trống {disk}</translation>
    </message>
    <message>
        <source>no Python for the trainer was found</source>
        <translation>không tìm thấy Python để huấn luyện</translation>
    </message>
    <message>
        <source>trains with {path}, Python {version}</source>
        <translation>huấn luyện bằng {path}, Python {version}</translation>
    </message>
</context>
<context>
    <name>NodeForm</name>
    <message>
        <source>SSH command</source>
        <translation>Lệnh SSH</translation>
    </message>
    <message>
        <source>Add node</source>
        <translation>Thêm máy</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Kiểm tra</translation>
    </message>
    <message>
        <source>Test the way to the node</source>
        <translation>Kiểm tra đường tới máy chạy</translation>
    </message>
    <message>
        <source>Proxy and mirrors…</source>
        <translation>Proxy và máy chủ bản sao…</translation>
    </message>
    <message>
        <source>How the node gets to the outside</source>
        <translation>Nút ra bên ngoài bằng cách nào</translation>
    </message>
    <message>
        <source>Folders…</source>
        <translation>Thư mục…</translation>
    </message>
    <message>
        <source>Where the node&apos;s folders lie</source>
        <translation>Các thư mục của nút nằm ở đâu</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Lưu</translation>
    </message>
    <message>
        <source>Choose a name…</source>
        <translation>Chọn một tên…</translation>
    </message>
    <message>
        <source>This names no host.</source>
        <translation>Ở đây chưa có tên máy chủ nào.</translation>
    </message>
    <message>
        <source>A command is needed that reaches the node, such as docker exec -i box.</source>
        <translation>Cần một lệnh đi tới được máy chạy, chẳng hạn docker exec -i box.</translation>
    </message>
    <message>
        <source>A host name, an address or a name of your ssh config is needed.</source>
        <translation>Cần tên máy chủ, địa chỉ, hoặc một tên trong cấu hình ssh của bạn.</translation>
    </message>
    <message>
        <source>The port is a number from 1 to 65535.</source>
        <translation>Cổng là một số từ 1 đến 65535.</translation>
    </message>
    <message>
        <source>There is a node named {name} already.</source>
        <translation>Đã có một máy tên {name}.</translation>
    </message>
    <message>
        <source>SSH, built in</source>
        <translation>SSH, tích hợp sẵn</translation>
    </message>
    <message>
        <source>SSH, the system&apos;s</source>
        <translation>SSH, của hệ thống</translation>
    </message>
    <message>
        <source>A command</source>
        <translation>Một lệnh</translation>
    </message>
    <message>
        <source>Your ssh config</source>
        <translation>Cấu hình ssh của bạn</translation>
    </message>
    <message>
        <source>Reached by</source>
        <translation>Kết nối bằng</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Lệnh</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Máy chủ</translation>
    </message>
    <message>
        <source>address or ssh config name</source>
        <translation>địa chỉ hoặc tên trong cấu hình ssh</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Cổng</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Người dùng</translation>
    </message>
    <message>
        <source>as ssh would</source>
        <translation>như ssh mặc định</translation>
    </message>
    <message>
        <source>Key file</source>
        <translation>Tệp khóa</translation>
    </message>
    <message>
        <source>Through</source>
        <translation>Đi qua</translation>
    </message>
    <message>
        <source>as ssh would, or user@gate:port</source>
        <translation>như ssh mặc định, hoặc user@gate:port</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>shown in the list</source>
        <translation>hiện trong danh sách</translation>
    </message>
    <message>
        <source>Folder there</source>
        <translation>Thư mục ở đó</translation>
    </message>
    <message>
        <source>Python there</source>
        <translation>Python ở đó</translation>
    </message>
    <message>
        <source>found by itself</source>
        <translation>tự tìm</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>Nhóm</translation>
    </message>
    <message>
        <source>none</source>
        <translation>không có</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>Nhãn</translation>
    </message>
    <message>
        <source>with commas between them</source>
        <translation>cách nhau bằng dấu phẩy</translation>
    </message>
    <message>
        <source>Proxy there</source>
        <translation>Proxy ở đó</translation>
    </message>
    <message>
        <source>as the node&apos;s own settings say</source>
        <translation>theo thiết lập riêng của nút</translation>
    </message>
    <message>
        <source>Index there</source>
        <translation>Chỉ mục gói ở đó</translation>
    </message>
    <message>
        <source>Hub there</source>
        <translation>Hub ở đó</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Tệp…</translation>
    </message>
    <message>
        <source>Choose the key file</source>
        <translation>Chọn tệp khóa</translation>
    </message>
    <message>
        <source>New…</source>
        <translation>Mới…</translation>
    </message>
    <message>
        <source>Make a new key</source>
        <translation>Tạo khóa mới</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Quay lại</translation>
    </message>
    <message>
        <source>Back to the list</source>
        <translation>Quay lại danh sách</translation>
    </message>
</context>
<context>
    <name>NodeLines</name>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>memory</source>
        <translation>bộ nhớ</translation>
    </message>
    <message>
        <source>free</source>
        <translation>còn trống</translation>
    </message>
    <message>
        <source>received</source>
        <translation>nhận</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>gửi</translation>
    </message>
    <message>
        <source>GPU {index}</source>
        <translation>GPU {index}</translation>
    </message>
    <message>
        <source>highest of {count} GPUs</source>
        <translation>cao nhất trong {count} GPU</translation>
    </message>
    <message>
        <source>mean of {count} GPUs</source>
        <translation>trung bình của {count} GPU</translation>
    </message>
    <message>
        <source>lowest of {count} GPUs</source>
        <translation>thấp nhất trong {count} GPU</translation>
    </message>
</context>
<context>
    <name>NodePicker</name>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Nodes</source>
        <translation>Các máy chạy</translation>
    </message>
    <message>
        <source>Name, group or tag</source>
        <translation>Tên, nhóm hoặc nhãn</translation>
    </message>
    <message>
        <source>Filter the nodes</source>
        <translation>Lọc các nút</translation>
    </message>
    <message>
        <source>Add a node…</source>
        <translation>Thêm máy chạy…</translation>
    </message>
    <message>
        <source>Add a node</source>
        <translation>Thêm máy chạy</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Hỏi lại</translation>
    </message>
    <message>
        <source>Ask the node what it has</source>
        <translation>Hỏi xem máy chạy có những gì</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Sửa…</translation>
    </message>
    <message>
        <source>Edit the node</source>
        <translation>Sửa máy chạy</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Gỡ</translation>
    </message>
    <message>
        <source>Forget the node; nothing on it is touched</source>
        <translation>Quên máy này; không đụng đến thứ gì trên đó</translation>
    </message>
    <message>
        <source>Folders</source>
        <translation>Thư mục</translation>
    </message>
    <message>
        <source>Some of its folders would last longer or have more room elsewhere (Edit, Folders).</source>
        <translation>Một số thư mục của nút sẽ bền hơn hoặc rộng hơn nếu đặt ở nơi khác (Sửa, Thư mục).</translation>
    </message>
</context>
<context>
    <name>Outlook</name>
    <message>
        <source>learning rate {rate}</source>
        <translation>tốc độ học {rate}</translation>
    </message>
    <message>
        <source>about {tokens} tokens left</source>
        <translation>còn khoảng {tokens} token</translation>
    </message>
    <message>
        <source>saving</source>
        <translation>lưu</translation>
    </message>
    <message>
        <source>evaluating</source>
        <translation>đánh giá</translation>
    </message>
    <message>
        <source>sampling</source>
        <translation>tạo mẫu thử</translation>
    </message>
    <message>
        <source>of the time {shares}</source>
        <translation>thời gian dành cho {shares}</translation>
    </message>
    <message>
        <source>no checkpoint is planned; Save now takes one</source>
        <translation>không có checkpoint nào theo kế hoạch; Lưu ngay sẽ tạo một cái</translation>
    </message>
    <message>
        <source>next checkpoint at step {step}</source>
        <translation>checkpoint tiếp theo ở bước {step}</translation>
    </message>
    <message>
        <source>next checkpoint at step {step}, in about {time}</source>
        <translation>checkpoint tiếp theo ở bước {step}, sau khoảng {time}</translation>
    </message>
    <message>
        <source>The node refused the last command: {reason}</source>
        <translation>Máy chạy từ chối lệnh gần nhất: {reason}</translation>
    </message>
</context>
<context>
    <name>PairView</name>
    <message>
        <source>Pair {number} of {count}</source>
        <translation>Cặp {number} / {count}</translation>
    </message>
    <message>
        <source>{share} alike</source>
        <translation>giống {share}</translation>
    </message>
    <message>
        <source>Row {number}</source>
        <translation>Dòng {number}</translation>
    </message>
    <message>
        <source>The row is being read.</source>
        <translation>Đang đọc dòng này.</translation>
    </message>
    <message>
        <source>The pair before</source>
        <translation>Cặp trước</translation>
    </message>
    <message>
        <source>The next pair</source>
        <translation>Cặp sau</translation>
    </message>
    <message>
        <source>The first of the pair</source>
        <translation>Dòng đầu của cặp</translation>
    </message>
    <message>
        <source>The second of the pair</source>
        <translation>Dòng sau của cặp</translation>
    </message>
</context>
<context>
    <name>ParallelCard</name>
    <message>
        <source>Settings and results</source>
        <translation>Cài đặt và kết quả</translation>
    </message>
    <message>
        <source>Settings and results of each run</source>
        <translation>Cài đặt và kết quả của từng lần chạy</translation>
    </message>
    <message>
        <source>Point at a line to see its run.</source>
        <translation>Trỏ vào một đường để xem lần chạy của nó.</translation>
    </message>
</context>
<context>
    <name>ParameterGroupsPopup</name>
    <message>
        <source>Parameter groups</source>
        <translation>Nhóm tham số</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Tham số</translation>
    </message>
    <message>
        <source>Count</source>
        <translation>Số lượng</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Tốc độ học</translation>
    </message>
    <message>
        <source>Weight decay</source>
        <translation>Suy giảm trọng số</translation>
    </message>
    <message>
        <source>Rule</source>
        <translation>Quy tắc</translation>
    </message>
    <message>
        <source>{count} parameters are trained; the optimizer keeps {size} for them, by the formula.</source>
        <translation>{count} tham số được huấn luyện; theo công thức, bộ tối ưu giữ {size} cho chúng.</translation>
    </message>
    <message>
        <source>{} are frozen.</source>
        <translation>{} bị đóng băng.</translation>
    </message>
    <message>
        <source>No parameter is called {pattern}; near it: {names}.</source>
        <translation>Không có tham số nào tên {pattern}; gần giống: {names}.</translation>
    </message>
    <message>
        <source>Choose a model first; the names come from its config.</source>
        <translation>Hãy chọn mô hình trước; các tên lấy từ cấu hình của nó.</translation>
    </message>
    <message>
        <source>The names of this kind of model are known on the node only; the run&apos;s log lists its groups.</source>
        <translation>Tên trong loại mô hình này chỉ biết được trên máy chạy; nhật ký của lượt chạy liệt kê các nhóm.</translation>
    </message>
    <message>
        <source>{names} and {count} more</source>
        <translation>{names} và {count} nữa</translation>
    </message>
    <message>
        <source>frozen</source>
        <translation>đóng băng</translation>
    </message>
    <message>
        <source>{factor} × peak = {rate}</source>
        <translation>{factor} × đỉnh = {rate}</translation>
    </message>
    <message>
        <source>none</source>
        <translation>không có</translation>
    </message>
</context>
<context>
    <name>PartsCard</name>
    <message>
        <source>What the peak is made of</source>
        <translation>Đỉnh gồm những gì</translation>
    </message>
    <message>
        <source>in all</source>
        <translation>tổng cộng</translation>
    </message>
    <message>
        <source>host memory of a node</source>
        <translation>bộ nhớ máy chủ của một máy chạy</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>đĩa</translation>
    </message>
    <message>
        <source>{} bytes a parameter</source>
        <translation>{} byte mỗi tham số</translation>
    </message>
    <message>
        <source>{} parameters. An estimate: tensors by arithmetic (Rajbhandari et al., 2020, arXiv:1910.02054; Korthikanti et al., 2022, arXiv:2205.05198), allocator and driver fitted to published peaks.</source>
        <translation>{} tham số. Đây là ước tính: tensor tính bằng số học (Rajbhandari et al., 2020, arXiv:1910.02054; Korthikanti et al., 2022, arXiv:2205.05198), bộ cấp phát và trình điều khiển khớp theo các đỉnh đã công bố.</translation>
    </message>
</context>
<context>
    <name>PathRow</name>
    <message>
        <source>Type or paste a path</source>
        <translation>Gõ hoặc dán một đường dẫn</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Tệp…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Thư mục…</translation>
    </message>
    <message>
        <source>Type a path first, or choose one.</source>
        <translation>Hãy gõ một đường dẫn trước, hoặc chọn một đường dẫn.</translation>
    </message>
    <message>
        <source>There is nothing at {path} on this computer.</source>
        <translation>Trên máy này không có gì ở {path}.</translation>
    </message>
    <message>
        <source>{path} is a folder; a file is needed.</source>
        <translation>{path} là một thư mục; ở đây cần một tệp.</translation>
    </message>
    <message>
        <source>{path} is a file; the folder that holds it is needed.</source>
        <translation>{path} là một tệp; ở đây cần thư mục chứa nó.</translation>
    </message>
</context>
<context>
    <name>PhaseCard</name>
    <message>
        <source>Phase by phase</source>
        <translation>Từng pha</translation>
    </message>
</context>
<context>
    <name>PlainNotice</name>
    <message>
        <source>Close</source>
        <translation>Đóng</translation>
    </message>
    <message>
        <source>Close the notice</source>
        <translation>Đóng thông báo</translation>
    </message>
</context>
<context>
    <name>PresetPicker</name>
    <message>
        <source>Start from a published recipe</source>
        <translation>Bắt đầu từ công thức đã công bố</translation>
    </message>
    <message>
        <source>Presets</source>
        <translation>Mẫu có sẵn</translation>
    </message>
    <message>
        <source>Field</source>
        <translation>Trường</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>Hiện tại</translation>
    </message>
    <message>
        <source>Then</source>
        <translation>Sau đó</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Nguồn</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>Thay đổi</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Áp dụng</translation>
    </message>
    <message>
        <source>Global batch {batch}: {source}</source>
        <translation>Batch toàn cục {batch}: {source}</translation>
    </message>
    <message>
        <source>{} field changes</source>
        <translation>{} trường thay đổi</translation>
    </message>
    <message>
        <source>{} fields change</source>
        <translation>{} trường thay đổi</translation>
    </message>
    <message>
        <source>The job is like this already.</source>
        <translation>Công việc đã như vậy rồi.</translation>
    </message>
</context>
<context>
    <name>ProblemCard</name>
    <message>
        <source>One problem holds the launch</source>
        <translation>Một vấn đề đang chặn việc khởi chạy</translation>
    </message>
    <message>
        <source>{count} problems hold the launch</source>
        <translation>{count} vấn đề đang chặn việc khởi chạy</translation>
    </message>
    <message>
        <source>One thing to know before the launch</source>
        <translation>Một điều cần biết trước khi khởi chạy</translation>
    </message>
    <message>
        <source>{count} things to know before the launch</source>
        <translation>{count} điều cần biết trước khi khởi chạy</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Lỗi</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Cảnh báo</translation>
    </message>
</context>
<context>
    <name>ProblemsBar</name>
    <message>
        <source>Problems of the job</source>
        <translation>Vấn đề của công việc</translation>
    </message>
    <message>
        <source>{} problem</source>
        <translation>{} vấn đề</translation>
    </message>
    <message>
        <source>{} problems</source>
        <translation>{} vấn đề</translation>
    </message>
    <message>
        <source>{}, show all</source>
        <translation>{}, hiện tất cả</translation>
    </message>
    <message>
        <source>Problem</source>
        <translation>Vấn đề</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Cảnh báo</translation>
    </message>
    <message>
        <source>Go to {}</source>
        <translation>Đến {}</translation>
    </message>
    <message>
        <source>{}: mends {}</source>
        <translation>{}: sửa {}</translation>
    </message>
</context>
<context>
    <name>ProgressRow</name>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>about {} left</source>
        <translation>còn khoảng {}</translation>
    </message>
    <message>
        <source>{done} of about {total}</source>
        <translation>{done} / khoảng {total}</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} / {total}</translation>
    </message>
    <message>
        <source>{}/s</source>
        <translation>{}/giây</translation>
    </message>
    <message>
        <source>{amount} {unit}/s</source>
        <translation>{amount} {unit}/giây</translation>
    </message>
</context>
<context>
    <name>QLineEdit</name>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Hoàn tác</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Làm lại</translation>
    </message>
    <message>
        <source>Cu&amp;t</source>
        <translation>&amp;Cắt</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>&amp;Sao chép</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>&amp;Dán</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Xóa</translation>
    </message>
    <message>
        <source>Select All</source>
        <translation>Chọn tất cả</translation>
    </message>
</context>
<context>
    <name>QPlatformTheme</name>
    <message>
        <source>OK</source>
        <translation>OK</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>&amp;Yes</source>
        <translation>&amp;Có</translation>
    </message>
    <message>
        <source>&amp;No</source>
        <translation>&amp;Không</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Đóng</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Lưu</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Mở</translation>
    </message>
</context>
<context>
    <name>QWidgetTextControl</name>
    <message>
        <source>&amp;Undo</source>
        <translation>&amp;Hoàn tác</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>&amp;Làm lại</translation>
    </message>
    <message>
        <source>Cu&amp;t</source>
        <translation>&amp;Cắt</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>&amp;Sao chép</translation>
    </message>
    <message>
        <source>Copy &amp;Link Location</source>
        <translation>Sao chép địa chỉ &amp;liên kết</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>&amp;Dán</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Xóa</translation>
    </message>
    <message>
        <source>Select All</source>
        <translation>Chọn tất cả</translation>
    </message>
</context>
<context>
    <name>RangeTestPopup</name>
    <message>
        <source>Learning-rate range test</source>
        <translation>Thử khoảng tốc độ học</translation>
    </message>
    <message>
        <source>First learning rate</source>
        <translation>Tốc độ học đầu</translation>
    </message>
    <message>
        <source>Last learning rate</source>
        <translation>Tốc độ học cuối</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>Số lần cập nhật</translation>
    </message>
    <message>
        <source>Run the test</source>
        <translation>Chạy phép thử</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Loss</translation>
    </message>
    <message>
        <source>learning rate</source>
        <translation>tốc độ học</translation>
    </message>
    <message>
        <source>Use as peak</source>
        <translation>Dùng làm đỉnh</translation>
    </message>
    <message>
        <source>A short run of its own on the node: the learning rate rises exponentially, update by update, and the run ends where the loss diverges. It keeps no weights; its journal stays in the library.</source>
        <translation>Một lượt chạy ngắn riêng trên máy chạy: tốc độ học tăng theo hàm mũ qua từng lần cập nhật, và lượt chạy kết thúc khi loss phân kỳ. Nó không giữ trọng số; sổ ghi ở lại thư viện.</translation>
    </message>
    <message>
        <source>From</source>
        <translation>Từ</translation>
    </message>
    <message>
        <source>to</source>
        <translation>đến</translation>
    </message>
    <message>
        <source>in</source>
        <translation>trong</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>lần cập nhật</translation>
    </message>
    <message>
        <source>Smoothed as in fastai: Howard and Gugger, 2020, arXiv:2002.04688; the test: Smith, 2017, arXiv:1506.01186, section 3.3.</source>
        <translation>Làm mượt như trong fastai: Howard và Gugger, 2020, arXiv:2002.04688; phép thử: Smith, 2017, arXiv:1506.01186, mục 3.3.</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>loss</translation>
    </message>
    <message>
        <source>smoothed</source>
        <translation>làm mượt</translation>
    </message>
    <message>
        <source>Starting: {}</source>
        <translation>Đang khởi chạy: {}</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Đang khởi chạy</translation>
    </message>
    <message>
        <source>This job has had no range test yet.</source>
        <translation>Công việc này chưa có phép thử khoảng nào.</translation>
    </message>
    <message>
        <source>Step {step} of {total}</source>
        <translation>Bước {step} trên {total}</translation>
    </message>
    <message>
        <source>The newest test has ended.</source>
        <translation>Phép thử mới nhất đã kết thúc.</translation>
    </message>
    <message>
        <source>The smoothed loss never falls, so no peak is suggested; begin at a lower learning rate.</source>
        <translation>Loss làm mượt không hề giảm, nên không đề xuất đỉnh; hãy bắt đầu ở tốc độ học thấp hơn.</translation>
    </message>
    <message>
        <source>Suggested peak {peak}: a tenth of {lowest}, where the smoothed loss is lowest. It falls fastest at {steepest}.</source>
        <translation>Đỉnh đề xuất {peak}: một phần mười của {lowest}, nơi loss làm mượt thấp nhất. Nó giảm nhanh nhất ở {steepest}.</translation>
    </message>
</context>
<context>
    <name>RateCurve</name>
    <message>
        <source>Learning rate</source>
        <translation>Tốc độ học</translation>
    </message>
    <message>
        <source>checkpoint</source>
        <translation>checkpoint</translation>
    </message>
    <message>
        <source>evaluation</source>
        <translation>đánh giá</translation>
    </message>
    <message>
        <source>before</source>
        <translation>trước đó</translation>
    </message>
    <message>
        <source>weight decay</source>
        <translation>suy giảm trọng số</translation>
    </message>
    <message>
        <source>momentum</source>
        <translation>momentum</translation>
    </message>
    <message>
        <source>beta 1</source>
        <translation>beta 1</translation>
    </message>
    <message>
        <source>{name} {first} to {last}</source>
        <translation>{name} {first} đến {last}</translation>
    </message>
    <message>
        <source>end of an epoch</source>
        <translation>hết một epoch</translation>
    </message>
    <message>
        <source>pinned: {}</source>
        <translation>đã ghim: {}</translation>
    </message>
    <message>
        <source>constant at {}</source>
        <translation>không đổi ở {}</translation>
    </message>
    <message>
        <source>{shape}, peak {peak}</source>
        <translation>{shape}, đỉnh {peak}</translation>
    </message>
    <message>
        <source>{shape} from {peak} to {least}</source>
        <translation>{shape} từ {peak} xuống {least}</translation>
    </message>
</context>
<context>
    <name>ReadingPanel</name>
    <message>
        <source>The source that is read so</source>
        <translation>Nguồn được đọc như vậy</translation>
    </message>
    <message>
        <source>How rows are read</source>
        <translation>Cách đọc các dòng</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Nguồn</translation>
    </message>
    <message>
        <source>What is learnt</source>
        <translation>Học những gì</translation>
    </message>
    <message>
        <source>Held out</source>
        <translation>Giữ lại</translation>
    </message>
    <message>
        <source>Choose a held-out file…</source>
        <translation>Chọn tệp giữ lại…</translation>
    </message>
    <message>
        <source>Sequences</source>
        <translation>Chuỗi</translation>
    </message>
</context>
<context>
    <name>RecipeCard</name>
    <message>
        <source>More</source>
        <translation>Thêm</translation>
    </message>
    <message>
        <source>More of {}</source>
        <translation>Thêm về {}</translation>
    </message>
    <message>
        <source>Less</source>
        <translation>Bớt</translation>
    </message>
</context>
<context>
    <name>RecipePage</name>
    <message>
        <source>Start from a published recipe</source>
        <translation>Bắt đầu từ công thức đã công bố</translation>
    </message>
    <message>
        <source>Parameter groups…</source>
        <translation>Nhóm tham số…</translation>
    </message>
    <message>
        <source>Range test…</source>
        <translation>Thử khoảng…</translation>
    </message>
    <message>
        <source>Find a peak by a short run in which the learning rate rises</source>
        <translation>Tìm đỉnh bằng một lượt chạy ngắn có tốc độ học tăng dần</translation>
    </message>
    <message>
        <source>Keys…</source>
        <translation>Khóa…</translation>
    </message>
    <message>
        <source>Keys of trackers</source>
        <translation>Khóa của các trình theo dõi</translation>
    </message>
    <message>
        <source>Preset: {}</source>
        <translation>Mẫu có sẵn: {}</translation>
    </message>
    <message>
        <source>Start from a published recipe…</source>
        <translation>Bắt đầu từ công thức đã công bố…</translation>
    </message>
</context>
<context>
    <name>RemoteBrowser</name>
    <message>
        <source>Path on the node</source>
        <translation>Đường dẫn trên máy chạy</translation>
    </message>
    <message>
        <source>To the folder above</source>
        <translation>Lên thư mục cha</translation>
    </message>
    <message>
        <source>Folders and files</source>
        <translation>Thư mục và tệp</translation>
    </message>
    <message>
        <source>Use this folder</source>
        <translation>Dùng thư mục này</translation>
    </message>
    <message>
        <source>Use what is selected</source>
        <translation>Dùng mục đang chọn</translation>
    </message>
    <message>
        <source>Asking {node}…</source>
        <translation>Đang hỏi {node}…</translation>
    </message>
    <message>
        <source>This folder is empty.</source>
        <translation>Thư mục này trống.</translation>
    </message>
</context>
<context>
    <name>ResumeDialog</name>
    <message>
        <source>Resume in another shape</source>
        <translation>Chạy tiếp theo cách chia khác</translation>
    </message>
    <message>
        <source>Ranks</source>
        <translation>Số tiến trình (rank)</translation>
    </message>
    <message>
        <source>ZeRO stage</source>
        <translation>Mức ZeRO</translation>
    </message>
    <message>
        <source>Go on from step {step}</source>
        <translation>Chạy tiếp từ bước {step}</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Chạy tiếp</translation>
    </message>
    <message>
        <source>The saved state can be read in this shape only. What can be divided anew is the state of AdamW at the ZeRO stages 1 to 3, without averaged weights and without fp16.</source>
        <translation>Trạng thái đã lưu chỉ đọc được theo cách chia này. Có thể chia lại trạng thái của AdamW ở các mức ZeRO 1 đến 3, không có trọng số trung bình và không dùng fp16.</translation>
    </message>
    <message>
        <source>The node was not probed yet, so what it has is not known.</source>
        <translation>Nút chưa được thăm dò, nên chưa biết nó có gì.</translation>
    </message>
    <message>
        <source>GPUs of the node: {count}.</source>
        <translation>Số GPU của nút: {count}.</translation>
    </message>
    <message>
        <source>The node has no GPU; cores that its ranks share: {count}.</source>
        <translation>Nút không có GPU; số nhân mà các tiến trình dùng chung: {count}.</translation>
    </message>
    <message>
        <source>The global batch, the rows of every update and the learning rate stay as they are. The node divides the saved state anew first.</source>
        <translation>Lô toàn cục, các dòng của mỗi bước cập nhật và tốc độ học giữ nguyên. Nút chia lại trạng thái đã lưu trước.</translation>
    </message>
    <message>
        <source>{micro} × {accumulation} × {ranks} = {whole} sequences an update (micro batch, accumulation, ranks)</source>
        <translation>{micro} × {accumulation} × {ranks} = {whole} chuỗi mỗi bước cập nhật (lô nhỏ, tích lũy, số tiến trình)</translation>
    </message>
</context>
<context>
    <name>RowPane</name>
    <message>
        <source>The selected row</source>
        <translation>Dòng đang chọn</translation>
    </message>
    <message>
        <source>Row</source>
        <translation>Dòng</translation>
    </message>
    <message>
        <source>Rendered text of the row</source>
        <translation>Văn bản đã dựng của dòng</translation>
    </message>
    <message>
        <source>Row {number}</source>
        <translation>Dòng {number}</translation>
    </message>
    <message>
        <source>No row</source>
        <translation>Không có dòng nào</translation>
    </message>
    <message>
        <source>The row is being read.</source>
        <translation>Đang đọc dòng này.</translation>
    </message>
    <message>
        <source>Paraphrase of row {}</source>
        <translation>Diễn đạt lại từ dòng {}</translation>
    </message>
    <message>
        <source>Back-translation of row {}</source>
        <translation>Dịch vòng từ dòng {}</translation>
    </message>
    <message>
        <source>Rewording of row {}</source>
        <translation>Viết lại từ dòng {}</translation>
    </message>
    <message>
        <source>{file}, line {line}</source>
        <translation>{file}, hàng {line}</translation>
    </message>
    <message>
        <source>sequence {number}</source>
        <translation>chuỗi {number}</translation>
    </message>
    <message>
        <source>loss {loss}</source>
        <translation>loss {loss}</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>Hội thoại</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Văn bản</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Pair</source>
        <translation>Cặp</translation>
    </message>
</context>
<context>
    <name>RowTable</name>
    <message>
        <source>Row</source>
        <translation>Dòng</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Prompt</translation>
    </message>
    <message>
        <source>Response</source>
        <translation>Câu trả lời</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Token</translation>
    </message>
    <message>
        <source>Trained</source>
        <translation>Được học</translation>
    </message>
    <message>
        <source>Class</source>
        <translation>Lớp</translation>
    </message>
    <message>
        <source>Part</source>
        <translation>Phần</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Loss</translation>
    </message>
</context>
<context>
    <name>RunActions</name>
    <message>
        <source>Open</source>
        <translation>Mở</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>So sánh</translation>
    </message>
    <message>
        <source>Choose 2 to {} runs to see them beside each other</source>
        <translation>Chọn từ 2 đến {} lượt chạy để xem cạnh nhau</translation>
    </message>
    <message>
        <source>Duplicate job</source>
        <translation>Nhân bản công việc</translation>
    </message>
    <message>
        <source>Make a job of the settings that this run was launched with</source>
        <translation>Tạo công việc từ các thiết lập đã dùng cho lượt chạy này</translation>
    </message>
    <message>
        <source>What changed since its last launch</source>
        <translation>Những gì đã đổi từ lần khởi chạy trước</translation>
    </message>
    <message>
        <source>Tag…</source>
        <translation>Nhãn…</translation>
    </message>
    <message>
        <source>Group…</source>
        <translation>Nhóm…</translation>
    </message>
    <message>
        <source>Note…</source>
        <translation>Ghi chú…</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Lưu trữ</translation>
    </message>
    <message>
        <source>Open terminal here</source>
        <translation>Mở terminal tại đây</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Sao chép</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Xóa…</translation>
    </message>
    <message>
        <source>Bring back</source>
        <translation>Đưa trở lại</translation>
    </message>
    <message>
        <source>{} run is back in the list.</source>
        <translation>{} lượt chạy đã trở lại danh sách.</translation>
    </message>
    <message>
        <source>{} runs are back in the list.</source>
        <translation>{} lượt chạy đã trở lại danh sách.</translation>
    </message>
    <message>
        <source>{} run is archived; the switch above the list shows it.</source>
        <translation>{} lượt chạy đã được lưu trữ; công tắc phía trên danh sách sẽ hiện nó.</translation>
    </message>
    <message>
        <source>{} runs are archived; the switch above the list shows them.</source>
        <translation>{} lượt chạy đã được lưu trữ; công tắc phía trên danh sách sẽ hiện chúng.</translation>
    </message>
</context>
<context>
    <name>RunCharts</name>
    <message>
        <source>Loss</source>
        <translation>Loss</translation>
    </message>
    <message>
        <source>nats a token</source>
        <translation>nat mỗi token</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Tốc độ học</translation>
    </message>
    <message>
        <source>Gradient norm</source>
        <translation>Chuẩn gradient</translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation>Thông lượng</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>token/s</translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation>Perplexity</translation>
    </message>
    <message>
        <source>Held-out loss</source>
        <translation>Loss trên tập giữ lại</translation>
    </message>
    <message>
        <source>Step time</source>
        <translation>Thời gian mỗi bước</translation>
    </message>
    <message>
        <source>s</source>
        <translation>giây</translation>
    </message>
    <message>
        <source>Peak memory</source>
        <translation>Bộ nhớ đỉnh</translation>
    </message>
    <message>
        <source>GiB</source>
        <translation>GiB</translation>
    </message>
    <message>
        <source>GPU utilisation</source>
        <translation>Mức sử dụng GPU</translation>
    </message>
    <message>
        <source>GPU memory in use</source>
        <translation>Bộ nhớ GPU đang dùng</translation>
    </message>
    <message>
        <source>GPU temperature</source>
        <translation>Nhiệt độ GPU</translation>
    </message>
    <message>
        <source>GPU power</source>
        <translation>Công suất GPU</translation>
    </message>
    <message>
        <source>W</source>
        <translation>W</translation>
    </message>
    <message>
        <source>CPU and memory</source>
        <translation>CPU và bộ nhớ</translation>
    </message>
    <message>
        <source>Free disk</source>
        <translation>Ổ đĩa còn trống</translation>
    </message>
    <message>
        <source>Network</source>
        <translation>Mạng</translation>
    </message>
    <message>
        <source>MB/s</source>
        <translation>MB/s</translation>
    </message>
    <message>
        <source>A double click lets this chart take the place of all, and back</source>
        <translation>Nhấp đúp để biểu đồ này chiếm chỗ của tất cả, nhấp đúp lần nữa để trở lại</translation>
    </message>
    <message>
        <source>step</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token</translation>
    </message>
    <message>
        <source>k tokens</source>
        <translation>nghìn token</translation>
    </message>
    <message>
        <source>M tokens</source>
        <translation>triệu token</translation>
    </message>
    <message>
        <source>B tokens</source>
        <translation>tỷ token</translation>
    </message>
    <message>
        <source>epoch</source>
        <translation>epoch</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>giây</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>phút</translation>
    </message>
    <message>
        <source>hours</source>
        <translation>giờ</translation>
    </message>
    <message>
        <source>Show all charts</source>
        <translation>Hiện tất cả biểu đồ</translation>
    </message>
    <message>
        <source>Maximise</source>
        <translation>Phóng to</translation>
    </message>
</context>
<context>
    <name>RunFigures</name>
    <message>
        <source>peak memory {estimated} estimated, {measured} measured{times}</source>
        <translation>bộ nhớ đỉnh ước tính {estimated}, đo được {measured}{times}</translation>
    </message>
</context>
<context>
    <name>RunTable</name>
    <message>
        <source>Name</source>
        <translation>Tên</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Trạng thái</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>Công việc</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Loss</translation>
    </message>
    <message>
        <source>Best held-out</source>
        <translation>Loss giữ lại tốt nhất</translation>
    </message>
    <message>
        <source>Tokens/s</source>
        <translation>Token/s</translation>
    </message>
    <message>
        <source>TFLOP/s</source>
        <translation>TFLOP/s</translation>
    </message>
    <message>
        <source>MFU</source>
        <translation>MFU</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Bắt đầu</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>Nhãn</translation>
    </message>
    <message>
        <source>Group</source>
        <translation>Nhóm</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Ghi chú</translation>
    </message>
    <message>
        <source>Above the GPU&apos;s peak. Tokens, time or the kind of GPU must be wrong.</source>
        <translation>Vượt mức tối đa của GPU. Số token, thời gian hoặc loại GPU hẳn là sai.</translation>
    </message>
</context>
<context>
    <name>RunView</name>
    <message>
        <source>Runs of the library</source>
        <translation>Các lượt chạy của thư viện</translation>
    </message>
</context>
<context>
    <name>SamplesPage</name>
    <message>
        <source>Samples</source>
        <translation>Mẫu thử</translation>
    </message>
    <message>
        <source>The step whose answers stand on the left</source>
        <translation>Bước có câu trả lời nằm bên trái</translation>
    </message>
    <message>
        <source>The step whose answers stand on the right</source>
        <translation>Bước có câu trả lời nằm bên phải</translation>
    </message>
    <message>
        <source>Here the answers before and after stand side by side. Name a few sample prompts in the recipe, and the run answers them before the first step and after the last.</source>
        <translation>Ở đây câu trả lời trước và sau được đặt cạnh nhau. Hãy ghi vài prompt mẫu trong công thức, và lượt chạy sẽ trả lời chúng trước bước đầu và sau bước cuối.</translation>
    </message>
    <message>
        <source>Step {step}</source>
        <translation>Bước {step}</translation>
    </message>
    <message>
        <source>step {step}</source>
        <translation>bước {step}</translation>
    </message>
    <message>
        <source>{} answer</source>
        <translation>{} câu trả lời</translation>
    </message>
    <message>
        <source>{} answers</source>
        <translation>{} câu trả lời</translation>
    </message>
    <message>
        <source>{answers} at step {step}: {time}; the next will take about as long (estimated).</source>
        <translation>{answers} ở bước {step}: {time}; lần tới sẽ mất chừng ấy (ước tính).</translation>
    </message>
    <message>
        <source>After {time} the job begins no further prompt.</source>
        <translation>Sau {time} công việc không bắt đầu câu nhắc nào nữa.</translation>
    </message>
    <message>
        <source>Answers at</source>
        <translation>Câu trả lời ở</translation>
    </message>
    <message>
        <source>beside those at</source>
        <translation>bên cạnh câu trả lời ở</translation>
    </message>
    <message>
        <source>Underlined: differs from the other answer.</source>
        <translation>Gạch dưới: khác với câu trả lời kia.</translation>
    </message>
    <message>
        <source>Answers to {prompt}</source>
        <translation>Câu trả lời cho {prompt}</translation>
    </message>
    <message>
        <source>No answer yet.</source>
        <translation>Chưa có câu trả lời.</translation>
    </message>
    <message>
        <source>(an empty answer)</source>
        <translation>(câu trả lời trống)</translation>
    </message>
    <message>
        <source>Prompts and answers</source>
        <translation>Prompt và câu trả lời</translation>
    </message>
</context>
<context>
    <name>SecretDialog</name>
    <message>
        <source>A key is locked</source>
        <translation>Có khóa đang bị khóa</translation>
    </message>
    <message>
        <source>{node} asks for a password</source>
        <translation>{node} hỏi mật khẩu</translation>
    </message>
    <message>
        <source>{node} asks a question</source>
        <translation>{node} đặt một câu hỏi</translation>
    </message>
    <message>
        <source>Keep it in the system&apos;s keyring</source>
        <translation>Giữ trong kho khóa của hệ thống</translation>
    </message>
    <message>
        <source>That was not accepted; try again.</source>
        <translation>Không được chấp nhận; hãy thử lại.</translation>
    </message>
    <message>
        <source>{file} is protected by a passphrase. It is needed for {where}.</source>
        <translation>{file} được bảo vệ bằng cụm mật khẩu. Cần nó cho {where}.</translation>
    </message>
    <message>
        <source>It is needed for {where}.</source>
        <translation>Cần nó cho {where}.</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Tiếp tục</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Để sau</translation>
    </message>
    <message>
        <source>Do not answer</source>
        <translation>Không trả lời</translation>
    </message>
</context>
<context>
    <name>SequenceStrip</name>
    <message>
        <source>Sequence {number}: {rows} rows, {held} of {length} tokens</source>
        <translation>Chuỗi {number}: {rows} dòng, {held} / {length} token</translation>
    </message>
    <message>
        <source>Packed sequence</source>
        <translation>Chuỗi đã ghép</translation>
    </message>
    <message>
        <source>Row {row}: positions 0 to {last}, at token {start} of the sequence</source>
        <translation>Dòng {row}: vị trí 0 đến {last}, tại token {start} của chuỗi</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Library</source>
        <translation>Thư viện</translation>
    </message>
    <message>
        <source>Filter the library</source>
        <translation>Lọc thư viện</translation>
    </message>
    <message>
        <source>Filter   Ctrl+K for all</source>
        <translation>Lọc   Ctrl+K: tất cả</translation>
    </message>
    <message>
        <source>Main menu</source>
        <translation>Trình đơn chính</translation>
    </message>
    <message>
        <source>JOBS</source>
        <translation>CÔNG VIỆC</translation>
    </message>
    <message>
        <source>New job</source>
        <translation>Công việc mới</translation>
    </message>
    <message>
        <source>RUNS</source>
        <translation>LƯỢT CHẠY</translation>
    </message>
    <message>
        <source>All runs…</source>
        <translation>Mọi lượt chạy…</translation>
    </message>
    <message>
        <source>NODES</source>
        <translation>MÁY CHẠY</translation>
    </message>
    <message>
        <source>Add a node…</source>
        <translation>Thêm máy chạy…</translation>
    </message>
</context>
<context>
    <name>SourceForm</name>
    <message>
        <source>Usual</source>
        <translation>Như thường</translation>
    </message>
    <message>
        <source>Read as {shape}. {reason}</source>
        <translation>Đọc theo dạng {shape}. {reason}</translation>
    </message>
    <message>
        <source>Not used: {}.</source>
        <translation>Không dùng: {}.</translation>
    </message>
</context>
<context>
    <name>SourceRow</name>
    <message>
        <source>Read as {}; correct it</source>
        <translation>Đọc theo dạng {}; sửa lại</translation>
    </message>
    <message>
        <source>Take {} out</source>
        <translation>Bỏ {} ra</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>trên máy này</translation>
    </message>
    <message>
        <source>on the node</source>
        <translation>trên máy chạy</translation>
    </message>
    <message>
        <source>on the Hub</source>
        <translation>trên Hub</translation>
    </message>
    <message>
        <source>{} row</source>
        <translation>{} dòng</translation>
    </message>
    <message>
        <source>{} rows</source>
        <translation>{} dòng</translation>
    </message>
    <message>
        <source>the first {}</source>
        <translation>{} dòng đầu</translation>
    </message>
    <message>
        <source>weight {}</source>
        <translation>trọng số {}</translation>
    </message>
    <message>
        <source>replayed</source>
        <translation>ôn lại</translation>
    </message>
    <message>
        <source>at most {} times</source>
        <translation>tối đa {} lần</translation>
    </message>
    <message>
        <source>{} used</source>
        <translation>dùng {}</translation>
    </message>
</context>
<context>
    <name>SourceStrip</name>
    <message>
        <source>Source of the data</source>
        <translation>Nguồn dữ liệu</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Thử lại</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>Đổi…</translation>
    </message>
    <message>
        <source>Choose other data</source>
        <translation>Chọn dữ liệu khác</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Thêm…</translation>
    </message>
    <message>
        <source>Add another source</source>
        <translation>Thêm một nguồn khác</translation>
    </message>
    <message>
        <source>More to do with the data</source>
        <translation>Thêm thao tác với dữ liệu</translation>
    </message>
    <message>
        <source>{done} of about {total} rows read</source>
        <translation>đã đọc {done} / khoảng {total} dòng</translation>
    </message>
    <message>
        <source>{} row in all</source>
        <translation>tất cả {} dòng</translation>
    </message>
    <message>
        <source>{} rows in all</source>
        <translation>tất cả {} dòng</translation>
    </message>
    <message>
        <source>Finding the rows</source>
        <translation>Đang tìm các dòng</translation>
    </message>
    <message>
        <source>Comparing rows</source>
        <translation>Đang so sánh các dòng</translation>
    </message>
    <message>
        <source>Packing</source>
        <translation>Đang ghép chuỗi</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>Đọc lại</translation>
    </message>
    <message>
        <source>Save report…</source>
        <translation>Lưu báo cáo…</translation>
    </message>
    <message>
        <source>Sources</source>
        <translation>Các nguồn</translation>
    </message>
    <message>
        <source>Read model and data again</source>
        <translation>Đọc lại mô hình và dữ liệu</translation>
    </message>
    <message>
        <source>Cancel reading</source>
        <translation>Hủy việc đọc</translation>
    </message>
    <message>
        <source>{train} to train on, {held_out} held out</source>
        <translation>{train} để huấn luyện, {held_out} giữ lại</translation>
    </message>
    <message>
        <source>{tokens} tokens, {trained} trained</source>
        <translation>{tokens} token, {trained} được học</translation>
    </message>
    <message>
        <source>figures of before the last change</source>
        <translation>số liệu của trước lần thay đổi cuối</translation>
    </message>
    <message>
        <source>Looking at the model</source>
        <translation>Đang xem xét mô hình</translation>
    </message>
    <message>
        <source>Reading the data</source>
        <translation>Đang đọc dữ liệu</translation>
    </message>
    <message>
        <source>Counting tokens</source>
        <translation>Đang đếm token</translation>
    </message>
    <message>
        <source>Reading</source>
        <translation>Đang đọc</translation>
    </message>
</context>
<context>
    <name>StacksDialog</name>
    <message>
        <source>Where the ranks stand</source>
        <translation>Các tiến trình đang ở đâu</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Đóng</translation>
    </message>
</context>
<context>
    <name>StateBar</name>
    <message>
        <source>left</source>
        <translation>còn trống</translation>
    </message>
</context>
<context>
    <name>StateLine</name>
    <message>
        <source>State of the run</source>
        <translation>Trạng thái lượt chạy</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>loss</translation>
    </message>
    <message>
        <source>best held-out</source>
        <translation>tập giữ lại, tốt nhất</translation>
    </message>
    <message>
        <source>Save now</source>
        <translation>Lưu ngay</translation>
    </message>
    <message>
        <source>Save a checkpoint now</source>
        <translation>Lưu một checkpoint ngay</translation>
    </message>
    <message>
        <source>Evaluate now</source>
        <translation>Đánh giá ngay</translation>
    </message>
    <message>
        <source>Take the held-out loss now</source>
        <translation>Tính loss trên tập giữ lại ngay bây giờ</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Chạy tiếp</translation>
    </message>
    <message>
        <source>Let the run go on from its last checkpoint</source>
        <translation>Cho lượt chạy tiếp tục từ checkpoint cuối</translation>
    </message>
    <message>
        <source>Let the run go on with other ranks or at another ZeRO stage</source>
        <translation>Cho lần chạy tiếp tục với số tiến trình khác hoặc ở mức ZeRO khác</translation>
    </message>
    <message>
        <source>Resume with…</source>
        <translation>Chạy tiếp với…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Tạm dừng</translation>
    </message>
    <message>
        <source>Save the full state and free the GPUs</source>
        <translation>Lưu toàn bộ trạng thái và giải phóng GPU</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Thêm</translation>
    </message>
    <message>
        <source>Further things to ask of the run</source>
        <translation>Những yêu cầu khác cho lượt chạy</translation>
    </message>
    <message>
        <source>Stop…</source>
        <translation>Dừng…</translation>
    </message>
    <message>
        <source>Stop the run</source>
        <translation>Dừng lượt chạy</translation>
    </message>
    <message>
        <source>Answer the sample prompts now</source>
        <translation>Trả lời các prompt mẫu ngay</translation>
    </message>
    <message>
        <source>Change the rest…</source>
        <translation>Thay đổi phần còn lại…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Đang lưu…</translation>
    </message>
    <message>
        <source>Go on from step {step}</source>
        <translation>Chạy tiếp từ bước {step}</translation>
    </message>
    <message>
        <source>Evaluating…</source>
        <translation>Đang đánh giá…</translation>
    </message>
    <message>
        <source>The job holds no rows out to evaluate on</source>
        <translation>Công việc không giữ lại dòng nào để đánh giá</translation>
    </message>
    <message>
        <source>The model is loaded; the first update is under way</source>
        <translation>Mô hình đã được nạp; lần cập nhật đầu tiên đang diễn ra</translation>
    </message>
    <message>
        <source>Waiting for the node&apos;s first word</source>
        <translation>Đang chờ lời đầu tiên từ máy chạy</translation>
    </message>
    <message>
        <source>step {step} of {total}</source>
        <translation>bước {step} / {total}</translation>
    </message>
    <message>
        <source>attempt {number}</source>
        <translation>lần thử {number}</translation>
    </message>
    <message>
        <source>about {time} left</source>
        <translation>còn khoảng {time}</translation>
    </message>
    <message>
        <source>about {time} (±{spread}) left</source>
        <translation>còn khoảng {time} (±{spread})</translation>
    </message>
    <message>
        <source>took {time}</source>
        <translation>mất {time}</translation>
    </message>
</context>
<context>
    <name>StatusStrip</name>
    <message>
        <source>No node chosen</source>
        <translation>Chưa chọn máy chạy</translation>
    </message>
    <message>
        <source>{} answers</source>
        <translation>{} đang trả lời</translation>
    </message>
    <message>
        <source>looking at {}</source>
        <translation>đang xem {}</translation>
    </message>
    <message>
        <source>{} does not answer</source>
        <translation>{} không trả lời</translation>
    </message>
    <message>
        <source>{} needs an answer from you</source>
        <translation>{} cần bạn trả lời</translation>
    </message>
    <message>
        <source>{} is not looked at yet</source>
        <translation>{} chưa được xem</translation>
    </message>
    <message>
        <source>{} has no folder of this run any more</source>
        <translation>{} không còn thư mục của lượt chạy này</translation>
    </message>
    <message>
        <source>{} on {}</source>
        <translation>{} trên {}</translation>
    </message>
    <message>
        <source>{} is not connected</source>
        <translation>{} chưa kết nối</translation>
    </message>
    <message>
        <source>{} connected</source>
        <translation>{} đã kết nối</translation>
    </message>
    <message>
        <source>{} is out of reach</source>
        <translation>không kết nối được tới {}</translation>
    </message>
    <message>
        <source>step {} of {}</source>
        <translation>bước {} / {}</translation>
    </message>
    <message>
        <source>about {} left</source>
        <translation>còn khoảng {}</translation>
    </message>
    <message>
        <source>last checkpoint at step {}</source>
        <translation>checkpoint gần nhất ở bước {}</translation>
    </message>
    <message>
        <source>{} journal line is damaged</source>
        <translation>{} dòng sổ ghi bị hỏng</translation>
    </message>
    <message>
        <source>{} journal lines are damaged</source>
        <translation>{} dòng sổ ghi bị hỏng</translation>
    </message>
    <message>
        <source>fits</source>
        <translation>vừa</translation>
    </message>
    <message>
        <source>does not fit</source>
        <translation>không vừa</translation>
    </message>
    <message>
        <source>{fits}, {used} of {capacity}</source>
        <translation>{fits}, {used} trên {capacity}</translation>
    </message>
    <message>
        <source>batch {} = {} × {} × {}</source>
        <translation>batch {} = {} × {} × {}</translation>
    </message>
    <message>
        <source>{} step</source>
        <translation>{} bước</translation>
    </message>
    <message>
        <source>{} steps</source>
        <translation>{} bước</translation>
    </message>
</context>
<context>
    <name>StepForm</name>
    <message>
        <source>Add step</source>
        <translation>Thêm bước</translation>
    </message>
    <message>
        <source>Change step</source>
        <translation>Đổi bước</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Leave the form</source>
        <translation>Rời biểu mẫu</translation>
    </message>
    <message>
        <source>Rows are added when the data is made ready on the node; how many pass the filters shows then.</source>
        <translation>Các dòng được thêm khi dữ liệu được chuẩn bị trên máy chạy; khi đó mới biết bao nhiêu dòng qua được bộ lọc.</translation>
    </message>
</context>
<context>
    <name>StepPreview</name>
    <message>
        <source>Examples before and after</source>
        <translation>Ví dụ trước và sau</translation>
    </message>
    <message>
        <source>Counting the rows that it changes…</source>
        <translation>Đang đếm các dòng bị thay đổi…</translation>
    </message>
    <message>
        <source>It {effect}.</source>
        <translation>Bước này {effect}.</translation>
    </message>
    <message>
        <source>Row {}</source>
        <translation>Dòng {}</translation>
    </message>
    <message>
        <source>Example</source>
        <translation>Ví dụ</translation>
    </message>
</context>
<context>
    <name>Steps</name>
    <message>
        <source>Add step…</source>
        <translation>Thêm bước…</translation>
    </message>
    <message>
        <source>The step</source>
        <translation>Bước này</translation>
    </message>
    <message>
        <source>Do it earlier</source>
        <translation>Làm sớm hơn</translation>
    </message>
    <message>
        <source>Do it later</source>
        <translation>Làm muộn hơn</translation>
    </message>
    <message>
        <source>Change the step</source>
        <translation>Đổi bước này</translation>
    </message>
    <message>
        <source>Take the step out</source>
        <translation>Bỏ bước này ra</translation>
    </message>
    <message>
        <source>counted at the next look at the data</source>
        <translation>được đếm ở lần xem dữ liệu tới</translation>
    </message>
    <message>
        <source>Nothing is done to the rows. A step leaves rows out or changes them before they are trained; the files stay as they are.</source>
        <translation>Không làm gì với các dòng. Một bước loại bớt hoặc thay đổi các dòng trước khi huấn luyện; các tệp vẫn giữ nguyên.</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Các bước</translation>
    </message>
</context>
<context>
    <name>StopDialog</name>
    <message>
        <source>Stop the run</source>
        <translation>Dừng lượt chạy</translation>
    </message>
    <message>
        <source>Stop {name} at step {step}?</source>
        <translation>Dừng {name} ở bước {step}?</translation>
    </message>
    <message>
        <source>Stop and save</source>
        <translation>Dừng và lưu</translation>
    </message>
    <message>
        <source>Stop without saving</source>
        <translation>Dừng mà không lưu</translation>
    </message>
    <message>
        <source>Keep running</source>
        <translation>Cứ chạy tiếp</translation>
    </message>
    <message>
        <source>Nothing has been saved yet.</source>
        <translation>Chưa lưu gì cả.</translation>
    </message>
    <message>
        <source>The last checkpoint is of step {step}.</source>
        <translation>Checkpoint cuối là của bước {step}.</translation>
    </message>
    <message>
        <source>Stopping and saving writes the weights of the present step first, which can take minutes.</source>
        <translation>Dừng và lưu sẽ ghi trọng số của bước hiện tại trước, việc này có thể mất vài phút.</translation>
    </message>
</context>
<context>
    <name>TablePane</name>
    <message>
        <source>In the files&apos; order</source>
        <translation>Theo thứ tự tệp</translation>
    </message>
    <message>
        <source>Longest first</source>
        <translation>Dài nhất trước</translation>
    </message>
    <message>
        <source>Show all rows again</source>
        <translation>Hiện lại mọi dòng</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Thử lại</translation>
    </message>
    <message>
        <source>Read the rows again</source>
        <translation>Đọc lại các dòng</translation>
    </message>
    <message>
        <source>Show all rows again, not only those of {}</source>
        <translation>Hiện lại mọi dòng, không chỉ các dòng của {}</translation>
    </message>
    <message>
        <source>Hardest first</source>
        <translation>Khó nhất trước</translation>
    </message>
    <message>
        <source>{} so far</source>
        <translation>{} đến lúc này</translation>
    </message>
    <message>
        <source>{} row</source>
        <translation>{} dòng</translation>
    </message>
    <message>
        <source>{} rows</source>
        <translation>{} dòng</translation>
    </message>
    <message>
        <source>Search the rows</source>
        <translation>Tìm trong các dòng</translation>
    </message>
    <message>
        <source>Search  Ctrl+F</source>
        <translation>Tìm  Ctrl+F</translation>
    </message>
    <message>
        <source>Order of the rows</source>
        <translation>Thứ tự các dòng</translation>
    </message>
    <message>
        <source>Rows of the data</source>
        <translation>Các dòng của dữ liệu</translation>
    </message>
</context>
<context>
    <name>TemplateEditor</name>
    <message>
        <source>Chat template</source>
        <translation>Mẫu hội thoại</translation>
    </message>
    <message>
        <source>Jinja, as Transformers renders it. A change counts once this closes; Undo takes it back.</source>
        <translation>Jinja, như Transformers dựng. Thay đổi có hiệu lực khi đóng; hoàn tác để lấy lại.</translation>
    </message>
    <message>
        <source>Text of the chat template</source>
        <translation>Nội dung mẫu hội thoại</translation>
    </message>
    <message>
        <source>The model&apos;s own</source>
        <translation>Mẫu của mô hình</translation>
    </message>
    <message>
        <source>Put the model&apos;s own template back</source>
        <translation>Dùng lại mẫu của chính mô hình</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Xong</translation>
    </message>
</context>
<context>
    <name>TemplateRow</name>
    <message>
        <source>Model&apos;s own</source>
        <translation>Của mô hình</translation>
    </message>
    <message>
        <source>Edited</source>
        <translation>Đã sửa</translation>
    </message>
    <message>
        <source>Chat template</source>
        <translation>Mẫu hội thoại</translation>
    </message>
    <message>
        <source>Open the text of the chat template</source>
        <translation>Mở nội dung mẫu hội thoại</translation>
    </message>
</context>
<context>
    <name>TitleEdit</name>
    <message>
        <source>Name of the job</source>
        <translation>Tên công việc</translation>
    </message>
    <message>
        <source>Rename the job</source>
        <translation>Đổi tên công việc</translation>
    </message>
</context>
<context>
    <name>TokenLegend</name>
    <message>
        <source>{} trained</source>
        <translation>{} được học</translation>
    </message>
    <message>
        <source>{} masked</source>
        <translation>{} bị che</translation>
    </message>
    <message>
        <source>{} special</source>
        <translation>{} đặc biệt</translation>
    </message>
    <message>
        <source>{} cut</source>
        <translation>{} bị cắt</translation>
    </message>
    <message>
        <source>the first {} are shown</source>
        <translation>chỉ hiện {} token đầu</translation>
    </message>
    <message>
        <source>loss {} and more</source>
        <translation>loss {} trở lên</translation>
    </message>
    <message>
        <source>loss {}</source>
        <translation>loss {}</translation>
    </message>
</context>
<context>
    <name>TokenSide</name>
    <message>
        <source>Loss</source>
        <translation>Loss</translation>
    </message>
    <message>
        <source>Shade tokens by their loss</source>
        <translation>Tô đậm token theo loss</translation>
    </message>
    <message>
        <source>Copy the hash of ids, labels and positions</source>
        <translation>Sao chép mã băm của mã, nhãn và vị trí</translation>
    </message>
    <message>
        <source>hash of ids, labels, positions  {hash}</source>
        <translation>mã băm của mã, nhãn, vị trí  {hash}</translation>
    </message>
    <message>
        <source>Point at a token to see its id.</source>
        <translation>Trỏ vào một token để xem mã của nó.</translation>
    </message>
    <message>
        <source>id {id}</source>
        <translation>mã {id}</translation>
    </message>
    <message>
        <source>label {label}</source>
        <translation>nhãn {label}</translation>
    </message>
    <message>
        <source>position {number}</source>
        <translation>vị trí {number}</translation>
    </message>
    <message>
        <source>{place} in the sequence</source>
        <translation>{place} trong chuỗi</translation>
    </message>
    <message>
        <source>weight {weight}</source>
        <translation>trọng số {weight}</translation>
    </message>
    <message>
        <source>loss {loss}</source>
        <translation>loss {loss}</translation>
    </message>
    <message>
        <source>special, trained</source>
        <translation>đặc biệt, được học</translation>
    </message>
    <message>
        <source>trained</source>
        <translation>được học</translation>
    </message>
    <message>
        <source>masked</source>
        <translation>bị che</translation>
    </message>
    <message>
        <source>special, masked</source>
        <translation>đặc biệt, bị che</translation>
    </message>
    <message>
        <source>cut off</source>
        <translation>bị cắt</translation>
    </message>
</context>
<context>
    <name>TokenView</name>
    <message>
        <source>Tokens of the row</source>
        <translation>Các token của dòng</translation>
    </message>
</context>
<context>
    <name>TrackDialog</name>
    <message>
        <source>Send {} to a tracker</source>
        <translation>Gửi {} tới một trình theo dõi</translation>
    </message>
    <message>
        <source>What this computer has of the run: its metrics and its recipe, never a row of the data. A run that goes on is followed to its end while Luthier is open. A tracker other than TensorBoard needs its package where Luthier runs.</source>
        <translation>Những gì máy này có về lần chạy: các chỉ số và công thức, không bao giờ là dòng dữ liệu. Lần chạy đang diễn ra được theo đến hết khi Luthier còn mở. Bộ theo dõi khác TensorBoard cần gói của nó ở nơi Luthier chạy.</translation>
    </message>
    <message>
        <source>Tracker</source>
        <translation>Trình theo dõi</translation>
    </message>
    <message>
        <source>Send it over the network</source>
        <translation>Gửi qua mạng</translation>
    </message>
    <message>
        <source>Server, or Space for trackio</source>
        <translation>Máy chủ, hoặc Space với trackio</translation>
    </message>
    <message>
        <source>Folder on this computer</source>
        <translation>Thư mục trên máy tính này</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Gửi</translation>
    </message>
</context>
<context>
    <name>TrackerKeysDialog</name>
    <message>
        <source>Keys of trackers</source>
        <translation>Khóa của các trình theo dõi</translation>
    </message>
    <message>
        <source>Needed only for trackers that are online. A key goes to the node of a run, or to the tracker, when the run is started, resumed or sent; it stands in no job, journal, log or export.</source>
        <translation>Chỉ cần cho trình theo dõi trực tuyến. Khóa đi tới máy của lần chạy, hoặc tới trình theo dõi, khi lần chạy được bắt đầu, tiếp tục hoặc gửi đi; nó không nằm trong công việc, nhật ký, bản ghi hay bản xuất nào.</translation>
    </message>
    <message>
        <source>Weights &amp; Biases, API key</source>
        <translation>Weights &amp; Biases, khóa API</translation>
    </message>
    <message>
        <source>MLflow, token</source>
        <translation>MLflow, mã token</translation>
    </message>
    <message>
        <source>trackio, token of the Hub</source>
        <translation>trackio, mã token của Hub</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Quên</translation>
    </message>
    <message>
        <source>Forget: {}</source>
        <translation>Quên: {}</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Hủy</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Giữ</translation>
    </message>
    <message>
        <source>A key is kept</source>
        <translation>Đang giữ một khóa</translation>
    </message>
    <message>
        <source>Will be forgotten</source>
        <translation>Sẽ bị quên</translation>
    </message>
</context>
<context>
    <name>WayPanel</name>
    <message>
        <source>Steps on the way to the node</source>
        <translation>Các chặng trên đường tới máy chạy</translation>
    </message>
    <message>
        <source>went well</source>
        <translation>thành công</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>thất bại</translation>
    </message>
</context>
<context>
    <name>WindowActions</name>
    <message>
        <source>Undo</source>
        <translation>Hoàn tác</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Làm lại</translation>
    </message>
    <message>
        <source>Launch</source>
        <translation>Khởi chạy</translation>
    </message>
    <message>
        <source>Read model and data again</source>
        <translation>Đọc lại mô hình và dữ liệu</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Chọn mô hình</translation>
    </message>
    <message>
        <source>Choose the data</source>
        <translation>Chọn dữ liệu</translation>
    </message>
    <message>
        <source>Where alerts are sent…</source>
        <translation>Nơi gửi cảnh báo…</translation>
    </message>
    <message>
        <source>Keys of trackers…</source>
        <translation>Khóa của các trình theo dõi…</translation>
    </message>
    <message>
        <source>Choose a node</source>
        <translation>Chọn máy chạy</translation>
    </message>
    <message>
        <source>Search here</source>
        <translation>Tìm ở đây</translation>
    </message>
    <message>
        <source>Help on the field</source>
        <translation>Trợ giúp về trường này</translation>
    </message>
    <message>
        <source>All commands</source>
        <translation>Mọi lệnh</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Thoát</translation>
    </message>
    <message>
        <source>New job</source>
        <translation>Công việc mới</translation>
    </message>
    <message>
        <source>Open a job file…</source>
        <translation>Mở tệp công việc…</translation>
    </message>
    <message>
        <source>Save the job as a file…</source>
        <translation>Lưu công việc thành tệp…</translation>
    </message>
    <message>
        <source>Import a configuration…</source>
        <translation>Nhập cấu hình…</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Xuất…</translation>
    </message>
    <message>
        <source>Export for {}…</source>
        <translation>Xuất cho {}…</translation>
    </message>
    <message>
        <source>Compare with another job…</source>
        <translation>So sánh với công việc khác…</translation>
    </message>
    <message>
        <source>All runs…</source>
        <translation>Mọi lượt chạy…</translation>
    </message>
</context>
<context>
    <name>WindowKeys</name>
    <message>
        <source>Put the cursor into a field, and F1 says what it does.</source>
        <translation>Đặt con trỏ vào một trường, rồi F1 sẽ cho biết trường đó làm gì.</translation>
    </message>
</context>
<context>
    <name>WindowVerbs</name>
    <message>
        <source>Open a job file</source>
        <translation>Mở tệp công việc</translation>
    </message>
    <message>
        <source>Job files (*.yaml *.yml *.json)</source>
        <translation>Tệp công việc (*.yaml *.yml *.json)</translation>
    </message>
    <message>
        <source>Save the job as a file</source>
        <translation>Lưu công việc thành tệp</translation>
    </message>
    <message>
        <source>Job files (*.yaml)</source>
        <translation>Tệp công việc (*.yaml)</translation>
    </message>
    <message>
        <source>Export into an empty folder</source>
        <translation>Xuất vào một thư mục trống</translation>
    </message>
    <message>
        <source>Configurations (*.yaml *.yml *.json)</source>
        <translation>Cấu hình (*.yaml *.yml *.json)</translation>
    </message>
    <message>
        <source>Import a configuration</source>
        <translation>Nhập cấu hình</translation>
    </message>
    <message>
        <source>Export into a folder</source>
        <translation>Xuất vào một thư mục</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Mở</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>Nhân đôi</translation>
    </message>
    <message>
        <source>Compare with the open job…</source>
        <translation>So sánh với công việc đang mở…</translation>
    </message>
    <message>
        <source>What changed since its last launch</source>
        <translation>Những gì đã đổi từ lần khởi chạy trước</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Xóa…</translation>
    </message>
    <message>
        <source>Compare with the open run</source>
        <translation>So sánh với lượt chạy đang mở</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Xuất…</translation>
    </message>
    <message>
        <source>Send to a tracker…</source>
        <translation>Gửi tới một trình theo dõi…</translation>
    </message>
    <message>
        <source>Forget here…</source>
        <translation>Quên ở đây…</translation>
    </message>
    <message>
        <source>Use for this job</source>
        <translation>Dùng cho công việc này</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>Xem lại</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Sửa…</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Gỡ…</translation>
    </message>
    <message>
        <source>The job {} is deleted from the library; its runs stay.</source>
        <translation>Công việc {} sẽ bị xóa khỏi thư viện; các lượt chạy của nó vẫn còn.</translation>
    </message>
    <message>
        <source>Delete the job?</source>
        <translation>Xóa công việc?</translation>
    </message>
    <message>
        <source>{} and its figures are deleted here; its folder on the node stays.</source>
        <translation>{} và số liệu của nó sẽ bị xóa ở đây; thư mục của nó trên máy chạy vẫn còn.</translation>
    </message>
    <message>
        <source>Forget the run?</source>
        <translation>Quên lượt chạy?</translation>
    </message>
    <message>
        <source>{} is taken from the list; what lies there stays.</source>
        <translation>{} sẽ được gỡ khỏi danh sách; những gì nằm ở đó vẫn còn.</translation>
    </message>
    <message>
        <source>Remove the node?</source>
        <translation>Gỡ máy chạy?</translation>
    </message>
</context>
<context>
    <name>_Figure</name>
    <message>
        <source>falling</source>
        <translation>đang giảm</translation>
    </message>
    <message>
        <source>rising</source>
        <translation>đang tăng</translation>
    </message>
    <message>
        <source>level</source>
        <translation>đi ngang</translation>
    </message>
    <message>
        <source>Over the last {count} updates, smoothed: {word}</source>
        <translation>Trong {count} lần cập nhật gần nhất, đã làm mượt: {word}</translation>
    </message>
</context>
<context>
    <name>_LabelWriter</name>
    <message>
        <source>a group&apos;s name</source>
        <translation>tên nhóm</translation>
    </message>
    <message>
        <source>a note</source>
        <translation>ghi chú</translation>
    </message>
    <message>
        <source>tag, another tag</source>
        <translation>nhãn, nhãn khác</translation>
    </message>
</context>
<context>
    <name>_Line</name>
    <message>
        <source>Open the page</source>
        <translation>Mở trang</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} / {total}</translation>
    </message>
    <message>
        <source>{rate}/s, about {time} left</source>
        <translation>{rate}/s, còn khoảng {time}</translation>
    </message>
    <message>
        <source>for {time} now</source>
        <translation>đã {time}</translation>
    </message>
    <message>
        <source>the first time, DeepSpeed compiles an operator, which takes minutes</source>
        <translation>lần đầu, DeepSpeed biên dịch một toán tử, mất vài phút</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>đang chờ</translation>
    </message>
    <message>
        <source>under way</source>
        <translation>đang làm</translation>
    </message>
    <message>
        <source>done</source>
        <translation>xong</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>thất bại</translation>
    </message>
    <message>
        <source>with a warning</source>
        <translation>có cảnh báo</translation>
    </message>
</context>
<context>
    <name>_NodeRow</name>
    <message>
        <source>chosen</source>
        <translation>đang chọn</translation>
    </message>
</context>
<context>
    <name>_Place</name>
    <message>
        <source>{} of {}</source>
        <translation>{} trên {}</translation>
    </message>
    <message>
        <source>✕ {} over</source>
        <translation>✕ vượt {}</translation>
    </message>
    <message>
        <source>✓ {} left</source>
        <translation>✓ còn {}</translation>
    </message>
</context>
<context>
    <name>_Tree</name>
    <message>
        <source>Jobs, runs and nodes</source>
        <translation>Công việc, lượt chạy và máy chạy</translation>
    </message>
</context>
<context>
    <name>alerts</name>
    <message>
        <source>Loss is no number</source>
        <translation>Loss không phải là số</translation>
    </message>
    <message>
        <source>Gradient is no number</source>
        <translation>Gradient không phải là số</translation>
    </message>
    <message>
        <source>Loss rises</source>
        <translation>Loss tăng</translation>
    </message>
    <message>
        <source>Gradient spike</source>
        <translation>Gradient tăng vọt</translation>
    </message>
    <message>
        <source>Held-out loss rises</source>
        <translation>Loss trên tập giữ lại tăng</translation>
    </message>
    <message>
        <source>Stalled</source>
        <translation>Bị đình trệ</translation>
    </message>
    <message>
        <source>Throughput drops</source>
        <translation>Thông lượng giảm</translation>
    </message>
    <message>
        <source>Learning rate unlike the plan</source>
        <translation>Tốc độ học khác kế hoạch</translation>
    </message>
    <message>
        <source>GPU too hot</source>
        <translation>GPU quá nóng</translation>
    </message>
    <message>
        <source>GPU throttles</source>
        <translation>GPU tự giảm tốc</translation>
    </message>
    <message>
        <source>GPU memory full</source>
        <translation>Bộ nhớ GPU đầy</translation>
    </message>
    <message>
        <source>Memory full</source>
        <translation>Bộ nhớ đầy</translation>
    </message>
    <message>
        <source>Disk fills</source>
        <translation>Đĩa sắp đầy</translation>
    </message>
    <message>
        <source>Slow rank</source>
        <translation>Tiến trình chậm</translation>
    </message>
    <message>
        <source>Run ended</source>
        <translation>Lượt chạy đã kết thúc</translation>
    </message>
</context>
<context>
    <name>compare</name>
    <message>
        <source>{loss} at step {step}</source>
        <translation>{loss} ở bước {step}</translation>
    </message>
    <message>
        <source>on</source>
        <translation>bật</translation>
    </message>
    <message>
        <source>off</source>
        <translation>tắt</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Trạng thái</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Các bước</translation>
    </message>
    <message>
        <source>Training loss, last 10 steps</source>
        <translation>Loss huấn luyện, 10 bước cuối</translation>
    </message>
    <message>
        <source>Held-out loss, last</source>
        <translation>Loss trên tập giữ lại, cuối cùng</translation>
    </message>
    <message>
        <source>Held-out loss, best</source>
        <translation>Loss trên tập giữ lại, tốt nhất</translation>
    </message>
    <message>
        <source>Tokens/s, median</source>
        <translation>Token/s, trung vị</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>Thời gian</translation>
    </message>
    <message>
        <source>Alerts</source>
        <translation>Cảnh báo</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>TFLOP/s a GPU or process</source>
        <translation>TFLOP/s mỗi GPU hoặc tiến trình</translation>
    </message>
    <message>
        <source>MFU</source>
        <translation>MFU</translation>
    </message>
    <message>
        <source>What cannot be</source>
        <translation>Điều không thể có</translation>
    </message>
    <message>
        <source>Training loss</source>
        <translation>Loss huấn luyện</translation>
    </message>
    <message>
        <source>Best held-out loss</source>
        <translation>Mất mát kiểm tra tốt nhất</translation>
    </message>
    <message>
        <source>The whole jobs</source>
        <translation>Toàn bộ các công việc</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Mẫu</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Lần chạy</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>Bước</translation>
    </message>
    <message>
        <source>Alert</source>
        <translation>Cảnh báo</translation>
    </message>
    <message>
        <source>What it says</source>
        <translation>Nội dung</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>Câu nhắc</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Câu trả lời</translation>
    </message>
</context>
<context>
    <name>controls</name>
    <message>
        <source>{} is no whole number; write one such as 8.</source>
        <translation>{} không phải số nguyên; hãy viết một số như 8.</translation>
    </message>
    <message>
        <source>A number is needed here, such as 0.1 or 2e-5.</source>
        <translation>Ở đây cần một số, chẳng hạn 0.1 hoặc 2e-5.</translation>
    </message>
    <message>
        <source>Write the number with a point, such as 0.1; {} has a comma.</source>
        <translation>Hãy viết số với dấu chấm, chẳng hạn 0.1; {} có dấu phẩy.</translation>
    </message>
    <message>
        <source>{} is no number; write one such as 0.1 or 2e-5.</source>
        <translation>{} không phải là số; hãy viết một số như 0.1 hoặc 2e-5.</translation>
    </message>
    <message>
        <source>A point is two numbers, percent of the run and share of the peak, such as 50 0.3.</source>
        <translation>Một điểm gồm hai số, phần trăm lượt chạy và tỷ lệ so với đỉnh, chẳng hạn 50 0.3.</translation>
    </message>
</context>
<context>
    <name>memory</name>
    <message>
        <source>weights</source>
        <translation>trọng số</translation>
    </message>
    <message>
        <source>gradients</source>
        <translation>gradient</translation>
    </message>
    <message>
        <source>optimizer</source>
        <translation>bộ tối ưu</translation>
    </message>
    <message>
        <source>gathered layers</source>
        <translation>các lớp gom lại</translation>
    </message>
    <message>
        <source>activations</source>
        <translation>activation</translation>
    </message>
    <message>
        <source>attention scores</source>
        <translation>điểm attention</translation>
    </message>
    <message>
        <source>logits</source>
        <translation>logit</translation>
    </message>
    <message>
        <source>buffers</source>
        <translation>bộ đệm</translation>
    </message>
    <message>
        <source>average</source>
        <translation>trung bình</translation>
    </message>
    <message>
        <source>allocator&apos;s cache</source>
        <translation>bộ nhớ đệm của bộ cấp phát</translation>
    </message>
    <message>
        <source>{} × {} bits</source>
        <translation>{} × {} bit</translation>
    </message>
    <message>
        <source>{} × {} bytes</source>
        <translation>{} × {} byte</translation>
    </message>
    <message>
        <source>{} ÷ {} GPUs</source>
        <translation>{} ÷ {} GPU</translation>
    </message>
    <message>
        <source>context</source>
        <translation>ngữ cảnh</translation>
    </message>
    <message>
        <source> of {}</source>
        <translation> trên {}</translation>
    </message>
    <message>
        <source>{name}: {estimated} estimated, {measured} measured{times}</source>
        <translation>{name}: ước tính {estimated}, đo được {measured}{times}</translation>
    </message>
    <message>
        <source>Corrected: a probe measured {measured} where {estimated} were estimated.</source>
        <translation>Đã hiệu chỉnh: phép đo cho {measured} trong khi ước tính là {estimated}.</translation>
    </message>
    <message>
        <source>Traced on one GPU under AdamW without master weights: {peak} at the peak ({terms}).</source>
        <translation>Lần vết trên một GPU với AdamW không có trọng số gốc: đỉnh {peak} ({terms}).</translation>
    </message>
    <message>
        <source>activations and all else</source>
        <translation>activation và phần còn lại</translation>
    </message>
    <message>
        <source>the process before the model</source>
        <translation>tiến trình trước khi có mô hình</translation>
    </message>
    <message>
        <source>peak on the fullest GPU</source>
        <translation>đỉnh trên GPU đầy nhất</translation>
    </message>
    <message>
        <source>peak of the fullest process</source>
        <translation>đỉnh của tiến trình lớn nhất</translation>
    </message>
    <message>
        <source>inputs</source>
        <translation>đầu vào</translation>
    </message>
    <message>
        <source>temporary</source>
        <translation>tạm thời</translation>
    </message>
    <message>
        <source>no node to compare with</source>
        <translation>chưa có máy chạy để so sánh</translation>
    </message>
    <message>
        <source>✕ the offloaded part does not fit the host</source>
        <translation>✕ phần chuyển sang CPU không vừa bộ nhớ máy chủ</translation>
    </message>
    <message>
        <source>⚠ tight, the allocator will have to give memory back</source>
        <translation>⚠ sát giới hạn, bộ cấp phát sẽ phải trả lại bộ nhớ</translation>
    </message>
    <message>
        <source>✓ fits, {} left</source>
        <translation>✓ vừa, còn {}</translation>
    </message>
    <message>
        <source>✕ does not fit, {} over</source>
        <translation>✕ không vừa, thừa {}</translation>
    </message>
    <message>
        <source>⚠ {} left before activations and logits</source>
        <translation>⚠ còn {} trước khi tính kích hoạt và logit</translation>
    </message>
    <message>
        <source>⚠ tight, only {} is left</source>
        <translation>⚠ sát giới hạn, chỉ còn {}</translation>
    </message>
    <message>
        <source>loading</source>
        <translation>nạp mô hình</translation>
    </message>
    <message>
        <source>forward</source>
        <translation>lượt xuôi</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>loss</translation>
    </message>
    <message>
        <source>backward, top layer</source>
        <translation>lượt ngược, lớp trên cùng</translation>
    </message>
    <message>
        <source>backward, lowest layer</source>
        <translation>lượt ngược, lớp dưới cùng</translation>
    </message>
    <message>
        <source>loading the best back</source>
        <translation>nạp lại bản tốt nhất</translation>
    </message>
    <message>
        <source>optimizer step</source>
        <translation>bước tối ưu</translation>
    </message>
    <message>
        <source>evaluation</source>
        <translation>đánh giá</translation>
    </message>
    <message>
        <source>samples</source>
        <translation>mẫu thử</translation>
    </message>
    <message>
        <source>saving</source>
        <translation>lưu</translation>
    </message>
    <message>
        <source>processes</source>
        <translation>tiến trình</translation>
    </message>
    <message>
        <source>data loaders</source>
        <translation>bộ nạp dữ liệu</translation>
    </message>
    <message>
        <source>offloaded</source>
        <translation>chuyển sang CPU</translation>
    </message>
    <message>
        <source>buffers to the disk</source>
        <translation>bộ đệm ghi ổ đĩa</translation>
    </message>
    <message>
        <source>weights while loading</source>
        <translation>trọng số khi nạp</translation>
    </message>
    <message>
        <source>weights while saving</source>
        <translation>trọng số khi lưu</translation>
    </message>
    <message>
        <source>model</source>
        <translation>mô hình</translation>
    </message>
    <message>
        <source>kept checkpoints</source>
        <translation>checkpoint được giữ</translation>
    </message>
    <message>
        <source>checkpoint being written</source>
        <translation>checkpoint đang ghi</translation>
    </message>
    <message>
        <source>prepared data</source>
        <translation>dữ liệu đã chuẩn bị</translation>
    </message>
</context>
<context>
    <name>pages</name>
    <message>
        <source>Data</source>
        <translation>Dữ liệu</translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation>Công thức</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Bộ nhớ</translation>
    </message>
    <message>
        <source>Launch</source>
        <translation>Khởi chạy</translation>
    </message>
    <message>
        <source>Monitor</source>
        <translation>Theo dõi</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>Mẫu thử</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Nhật ký</translation>
    </message>
    <message>
        <source>Config</source>
        <translation>Cấu hình</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>So sánh</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>Thư viện</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Classic chat</source>
        <translation>Chat kinh điển</translation>
    </message>
    <message>
        <source>AdamW at 2e-5 with a tenth of warmup and a cosine, three passes, 512 sequences an update, much as Zephyr was made. Needs some ten thousand rows, or the run has very few updates.</source>
        <translation>AdamW ở 2e-5 với một phần mười khởi động và cosine, ba lượt qua dữ liệu, 512 chuỗi mỗi lần cập nhật, gần giống cách làm ra Zephyr. Cần khoảng mười nghìn dòng, nếu không lượt chạy có rất ít lần cập nhật.</translation>
    </message>
    <message>
        <source>Conservative fine-tune</source>
        <translation>Tinh chỉnh thận trọng</translation>
    </message>
    <message>
        <source>Small steps over two passes, without weight decay: changes a model that is good already as little as possible.</source>
        <translation>Bước nhỏ qua hai lượt dữ liệu, không suy giảm trọng số: thay đổi ít nhất có thể một mô hình vốn đã tốt.</translation>
    </message>
    <message>
        <source>7–13B on 8 × 80 GB</source>
        <translation>7–13B trên 8 × 80 GB</translation>
    </message>
    <message>
        <source>Llama 2&apos;s fine-tune, spread so that it fits: 16 bytes a parameter over eight GPUs are 14 GB each at 7B and 26 GB at 13B, and activation checkpointing leaves the rest for long sequences.</source>
        <translation>Tinh chỉnh của Llama 2, trải ra cho vừa: 16 byte mỗi tham số trên tám GPU là 14 GB mỗi GPU với 7B và 26 GB với 13B, còn checkpoint activation để lại phần còn lại cho chuỗi dài.</translation>
    </message>
    <message>
        <source>70B with offload</source>
        <translation>70B có chuyển sang CPU</translation>
    </message>
    <message>
        <source>Tulu 3&apos;s fine-tune of 70B with the optimizer in host memory: 12 bytes a parameter, 840 GB, leave the GPUs, which hold 4 bytes a parameter, 35 GB each on eight. Slower, but on one machine.</source>
        <translation>Tinh chỉnh 70B của Tulu 3 với bộ tối ưu trong bộ nhớ máy chủ: 12 byte mỗi tham số, 840 GB, rời khỏi các GPU, còn GPU giữ 4 byte mỗi tham số, 35 GB mỗi GPU khi có tám. Chậm hơn, nhưng chỉ trên một máy.</translation>
    </message>
    <message>
        <source>Continued pretraining</source>
        <translation>Huấn luyện trước tiếp tục</translation>
    </message>
    <message>
        <source>Warms the learning rate up again and lets it fall again over one pass of plain text. Add some of the original data as a replay source, five percent or more, against forgetting.</source>
        <translation>Tăng lại tốc độ học rồi cho giảm dần qua một lượt văn bản thuần. Hãy thêm một phần dữ liệu gốc làm nguồn ôn lại, từ năm phần trăm, để chống quên.</translation>
    </message>
    <message>
        <source>Small data</source>
        <translation>Dữ liệu nhỏ</translation>
    </message>
    <message>
        <source>A thousand careful rows over fifteen passes with dropout on the residual stream. The held-out loss rises long before the answers get worse, so look at the samples too.</source>
        <translation>Một nghìn dòng chọn kỹ qua mười lăm lượt, có dropout trên luồng residual. Loss trên tập giữ lại tăng từ rất lâu trước khi câu trả lời kém đi, nên hãy xem cả các mẫu thử.</translation>
    </message>
    <message>
        <source>Classification</source>
        <translation>Phân loại</translation>
    </message>
    <message>
        <source>Short texts with a class each, ten passes in small batches, the rate falling in a line: what RoBERTa&apos;s authors do on GLUE.</source>
        <translation>Văn bản ngắn, mỗi văn bản một lớp, mười lượt với batch nhỏ, tốc độ học giảm theo đường thẳng: như các tác giả RoBERTa làm trên GLUE.</translation>
    </message>
</context>
<context>
    <name>problems</name>
    <message>
        <source>Data</source>
        <translation>Dữ liệu</translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation>Công thức</translation>
    </message>
    <message>
        <source>Job</source>
        <translation>Công việc</translation>
    </message>
    <message>
        <source>Node</source>
        <translation>Máy chạy</translation>
    </message>
</context>
<context>
    <name>recipe</name>
    <message>
        <source>Optimizer</source>
        <translation>Bộ tối ưu</translation>
    </message>
    <message>
        <source>Schedule</source>
        <translation>Lịch tốc độ học</translation>
    </message>
    <message>
        <source>Regularization</source>
        <translation>Điều chuẩn</translation>
    </message>
    <message>
        <source>Batch</source>
        <translation>Batch</translation>
    </message>
    <message>
        <source>Precision and memory</source>
        <translation>Độ chính xác và bộ nhớ</translation>
    </message>
    <message>
        <source>Checkpoints and evaluation</source>
        <translation>Checkpoint và đánh giá</translation>
    </message>
    <message>
        <source>Seed and loading</source>
        <translation>Seed và nạp dữ liệu</translation>
    </message>
    <message>
        <source>After a failure</source>
        <translation>Sau khi lỗi</translation>
    </message>
    <message>
        <source>Alerts</source>
        <translation>Cảnh báo</translation>
    </message>
    <message>
        <source>Trackers</source>
        <translation>Trình theo dõi</translation>
    </message>
    <message>
        <source>Betas</source>
        <translation>Beta</translation>
    </message>
    <message>
        <source>≈ 0 B / parameter</source>
        <translation>≈ 0 B / tham số</translation>
    </message>
    <message>
        <source>no state</source>
        <translation>không trạng thái</translation>
    </message>
    <message>
        <source>The model&apos;s config has no dropout, so this sets nothing; residual dropout works without.</source>
        <translation>Cấu hình của mô hình không có dropout, nên mục này không đặt gì; dropout residual vẫn hoạt động.</translation>
    </message>
    <message>
        <source>{} step</source>
        <translation>{} bước</translation>
    </message>
    <message>
        <source>{} steps</source>
        <translation>{} bước</translation>
    </message>
    <message>
        <source>matrices only</source>
        <translation>chỉ ma trận</translation>
    </message>
    <message>
        <source>by epochs</source>
        <translation>theo số epoch</translation>
    </message>
    <message>
        <source>only at the end</source>
        <translation>chỉ ở cuối</translation>
    </message>
    <message>
        <source>never</source>
        <translation>không bao giờ</translation>
    </message>
    <message>
        <source>{} B / parameter</source>
        <translation>{} B / tham số</translation>
    </message>
    <message>
        <source>One point a line: percent of the run and share of the peak. On the plot a double click adds one, dragging moves it, and Delete removes the one under the mouse.</source>
        <translation>Mỗi điểm một dòng: phần trăm lượt chạy và tỷ lệ so với đỉnh. Trên biểu đồ, nhấp đúp để thêm điểm, kéo để di chuyển, và Delete xóa điểm dưới con trỏ chuột.</translation>
    </message>
    <message>
        <source>Sets {} of the model&apos;s config.</source>
        <translation>Đặt {} trong cấu hình của mô hình.</translation>
    </message>
    <message>
        <source>{matrices} or {others} B / parameter</source>
        <translation>{matrices} hoặc {others} B / tham số</translation>
    </message>
    <message>
        <source>× peak, {}</source>
        <translation>× đỉnh, {}</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>step</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token</translation>
    </message>
    <message>
        <source>epoch</source>
        <translation>epoch</translation>
    </message>
    <message>
        <source>{} tokens</source>
        <translation>{} token</translation>
    </message>
    <message>
        <source>{place} (step {step})</source>
        <translation>{place} (bước {step})</translation>
    </message>
</context>
<context>
    <name>sentences</name>
    <message>
        <source>{0} row</source>
        <translation>{0} dòng</translation>
    </message>
    <message>
        <source>{0} rows</source>
        <translation>{0} dòng</translation>
    </message>
    <message>
        <source>{0} that cannot be used. The first: {1}</source>
        <translation>{0} không dùng được. Dòng đầu tiên: {1}</translation>
    </message>
    <message>
        <source>Held-out file: {0}</source>
        <translation>Tệp giữ lại: {0}</translation>
    </message>
    <message>
        <source>left out</source>
        <translation>đã bị loại</translation>
    </message>
    <message>
        <source>cut at the end</source>
        <translation>đã bị cắt ở cuối</translation>
    </message>
    <message>
        <source>Saving weights</source>
        <translation>Lưu trọng số</translation>
    </message>
    <message>
        <source>Saving the full state</source>
        <translation>Lưu toàn bộ trạng thái</translation>
    </message>
    <message>
        <source>Evaluating</source>
        <translation>Đánh giá</translation>
    </message>
    <message>
        <source>Send the model</source>
        <translation>Gửi mô hình</translation>
    </message>
    <message>
        <source>Check the model&apos;s files</source>
        <translation>Kiểm tra các tệp của mô hình</translation>
    </message>
    <message>
        <source>Fetch the model from the Hub</source>
        <translation>Tải mô hình từ Hub</translation>
    </message>
    <message>
        <source>{0} sequences from {1} rows, {2} held out</source>
        <translation>{0} chuỗi từ {1} dòng, giữ lại {2}</translation>
    </message>
    <message>
        <source>The job cannot start yet. {0}</source>
        <translation>Công việc chưa thể bắt đầu. {0}</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Máy này</translation>
    </message>
    <message>
        <source>split into several</source>
        <translation>chia thành nhiều phần</translation>
    </message>
    <message>
        <source>Split longer rows</source>
        <translation>Chia các dòng dài hơn</translation>
    </message>
    <message>
        <source>Leave longer rows out</source>
        <translation>Loại các dòng dài hơn</translation>
    </message>
    <message>
        <source>99 % of the rows</source>
        <translation>99 % số dòng</translation>
    </message>
    <message>
        <source>every row</source>
        <translation>mọi dòng</translation>
    </message>
    <message>
        <source>Leave them out</source>
        <translation>Loại chúng ra</translation>
    </message>
    <message>
        <source>Leave all of them out</source>
        <translation>Loại tất cả chúng ra</translation>
    </message>
    <message>
        <source>Leave them out of the held-out part</source>
        <translation>Loại chúng khỏi phần giữ lại</translation>
    </message>
    <message>
        <source>Keep the first of those alike</source>
        <translation>Giữ dòng đầu trong các dòng giống nhau</translation>
    </message>
    <message>
        <source>{0} is {1}; it can be {2}.</source>
        <translation>{0} đang là {1}; có thể là {2}.</translation>
    </message>
    <message>
        <source>{0} is {1}; a finite number is needed.</source>
        <translation>{0} đang là {1}; cần một số hữu hạn.</translation>
    </message>
    <message>
        <source>{0} is {1}; it has to be more than {2}.</source>
        <translation>{0} đang là {1}; phải lớn hơn {2}.</translation>
    </message>
    <message>
        <source>{0} is {1}; the least is {2}.</source>
        <translation>{0} đang là {1}; ít nhất phải là {2}.</translation>
    </message>
    <message>
        <source>{0} is {1}; the most is {2}.</source>
        <translation>{0} đang là {1}; nhiều nhất là {2}.</translation>
    </message>
    <message>
        <source>No model is chosen.</source>
        <translation>Chưa chọn mô hình.</translation>
    </message>
    <message>
        <source>No training data is chosen.</source>
        <translation>Chưa chọn dữ liệu huấn luyện.</translation>
    </message>
    <message>
        <source>The Hub model has no revision; it is pinned to today&apos;s commit at the launch.</source>
        <translation>Mô hình trên Hub chưa có bản sửa đổi; nó sẽ được ghim vào commit của ngày khởi chạy.</translation>
    </message>
    <message>
        <source>There is no held-out part, so the run cannot tell learning from memorising.</source>
        <translation>Không có phần giữ lại, nên lượt chạy không phân biệt được học với học vẹt.</translation>
    </message>
    <message>
        <source>A drop step names row {0}; rows count from 1.</source>
        <translation>Một bước loại bỏ nêu dòng {0}; các dòng đếm từ 1.</translation>
    </message>
    <message>
        <source>Offloading the optimizer needs ZeRO 1 or more.</source>
        <translation>Chuyển bộ tối ưu sang CPU cần ZeRO 1 trở lên.</translation>
    </message>
    <message>
        <source>Offloading the weights needs ZeRO 3.</source>
        <translation>Chuyển trọng số sang CPU cần ZeRO 3.</translation>
    </message>
    <message>
        <source>Its updates are right on a CPU too, but take 50 times as long there as PyTorch&apos;s fused AdamW.</source>
        <translation>Các cập nhật của nó cũng đúng trên CPU, nhưng ở đó lâu gấp 50 lần AdamW gộp của PyTorch.</translation>
    </message>
    <message>
        <source>FlashAttention 2 computes in 16 bits only.</source>
        <translation>FlashAttention 2 chỉ tính bằng 16 bit.</translation>
    </message>
    <message>
        <source>No checkpoint would be written; the run would leave nothing.</source>
        <translation>Sẽ không có checkpoint nào được ghi; lượt chạy sẽ không để lại gì.</translation>
    </message>
    <message>
        <source>The model&apos;s tokenizer has no chat template; prompt and response are joined as plain text.</source>
        <translation>Tokenizer của mô hình không có mẫu hội thoại; prompt và câu trả lời được nối thành văn bản thường.</translation>
    </message>
    <message>
        <source>FlashAttention 2 runs on GPUs only.</source>
        <translation>FlashAttention 2 chỉ chạy trên GPU.</translation>
    </message>
    <message>
        <source>Use {0}</source>
        <translation>Dùng {0}</translation>
    </message>
    <message>
        <source>Set aside 10 %</source>
        <translation>Để riêng 10 %</translation>
    </message>
    <message>
        <source>Use SDPA</source>
        <translation>Dùng SDPA</translation>
    </message>
    <message>
        <source>Set to 10 %</source>
        <translation>Đặt thành 10 %</translation>
    </message>
    <message>
        <source>Save at the end</source>
        <translation>Lưu khi kết thúc</translation>
    </message>
    <message>
        <source>The warmup of {0} steps is not shorter than the run of {1} steps, so the peak is never reached.</source>
        <translation>Giai đoạn khởi động {0} bước không ngắn hơn lượt chạy {1} bước, nên không bao giờ lên đến đỉnh.</translation>
    </message>
    <message>
        <source>The sequence length of {0} is over the model&apos;s limit of {1}.</source>
        <translation>Độ dài chuỗi {0} vượt giới hạn {1} của mô hình.</translation>
    </message>
    <message>
        <source>{0} processes need {1} GPUs; {2} has {3}.</source>
        <translation>{0} tiến trình cần {1} GPU; {2} chỉ có {3}.</translation>
    </message>
    <message>
        <source>{0} (compute capability {1}) has no fast bf16.</source>
        <translation>{0} (compute capability {1}) không tính nhanh được bf16.</translation>
    </message>
    <message>
        <source>{0} has no GPU, and bf16 on a CPU is hundreds of times slower than fp32.</source>
        <translation>{0} không có GPU, và bf16 trên CPU chậm hơn fp32 hàng trăm lần.</translation>
    </message>
    <message>
        <source>{0} processes share {1} cores.</source>
        <translation>{0} tiến trình chia nhau {1} lõi.</translation>
    </message>
    <message>
        <source>at step {0} of {1}</source>
        <translation>ở bước {0} / {1}</translation>
    </message>
    <message>
        <source>before it trained</source>
        <translation>trước khi huấn luyện</translation>
    </message>
    <message>
        <source>{0} every {1} steps never happens in a run of {2}.</source>
        <translation>{0} sau mỗi {1} bước sẽ không bao giờ xảy ra trong lượt chạy {2} bước.</translation>
    </message>
    <message>
        <source>Set to {0}</source>
        <translation>Đặt thành {0}</translation>
    </message>
    <message>
        <source>Every {0}</source>
        <translation>Sau mỗi {0}</translation>
    </message>
    <message>
        <source>Hold out by row</source>
        <translation>Giữ lại theo dòng</translation>
    </message>
    <message>
        <source>No replay</source>
        <translation>Không ôn lại</translation>
    </message>
    <message>
        <source>Give each {0}</source>
        <translation>Cho mỗi nguồn {0}</translation>
    </message>
    <message>
        <source>Replay the last source</source>
        <translation>Ôn lại nguồn cuối</translation>
    </message>
    <message>
        <source>A share of the rows is to be replayed, but no source is marked as replay. Add a source of general data and mark it.</source>
        <translation>Có tỷ lệ dòng cần ôn lại nhưng chưa nguồn nào được đánh dấu ôn lại. Hãy thêm một nguồn dữ liệu chung và đánh dấu nó.</translation>
    </message>
    <message>
        <source>Held out by group, but no column says what a group is.</source>
        <translation>Giữ lại theo nhóm, nhưng không cột nào cho biết nhóm là gì.</translation>
    </message>
    <message>
        <source>The rows have no class, so no share of each can be held out.</source>
        <translation>Các dòng không có lớp, nên không thể giữ lại một tỷ lệ của mỗi lớp.</translation>
    </message>
    <message>
        <source>The class prompt has no {0}, so the model would not see the text whose class it learns.</source>
        <translation>Prompt của lớp không có {0}, nên mô hình sẽ không thấy văn bản có lớp cần học.</translation>
    </message>
    <message>
        <source>An added token is empty or stands there twice.</source>
        <translation>Một token thêm vào bị trống hoặc xuất hiện hai lần.</translation>
    </message>
    <message>
        <source>No row is left to train on.</source>
        <translation>Không còn dòng nào để huấn luyện.</translation>
    </message>
    <message>
        <source>A further source of data has no path.</source>
        <translation>Một nguồn dữ liệu thêm chưa có đường dẫn.</translation>
    </message>
    <message>
        <source>The Hub data has no revision; it is pinned to today&apos;s commit at the launch.</source>
        <translation>Dữ liệu Hub chưa có bản sửa đổi; nó được ghim vào commit hôm nay khi khởi chạy.</translation>
    </message>
    <message>
        <source>Keep the others</source>
        <translation>Giữ các token khác</translation>
    </message>
    <message>
        <source>Take it out</source>
        <translation>Bỏ ra</translation>
    </message>
    <message>
        <source>Set to 5 %</source>
        <translation>Đặt thành 5 %</translation>
    </message>
    <message>
        <source>Use the model&apos;s own</source>
        <translation>Dùng mẫu của mô hình</translation>
    </message>
    <message>
        <source>{0} has no weight while other sources have one, so no row of it would be trained. Give every source a weight, or none.</source>
        <translation>{0} không có trọng số trong khi các nguồn khác có, nên không dòng nào của nó được huấn luyện. Hãy cho mọi nguồn trọng số, hoặc không nguồn nào.</translation>
    </message>
    <message>
        <source>{0} is marked as replay, but the replay share is 0, so no row of it would be trained.</source>
        <translation>{0} được đánh dấu ôn lại nhưng tỷ lệ ôn lại là 0, nên không dòng nào của nó được huấn luyện.</translation>
    </message>
    <message>
        <source>No source has the group column {0}; there are {1}.</source>
        <translation>Không nguồn nào có cột nhóm {0}; chỉ có {1}.</translation>
    </message>
    <message>
        <source>{0} has no group column {1}; each of its rows counts as a group of its own.</source>
        <translation>{0} không có cột nhóm {1}; mỗi dòng của nó được tính là một nhóm riêng.</translation>
    </message>
    <message>
        <source>A replace step has nothing to find.</source>
        <translation>Một bước thay văn bản không có gì để tìm.</translation>
    </message>
    <message>
        <source>The augment step names no model.</source>
        <translation>Bước tăng cường không nêu mô hình nào.</translation>
    </message>
    <message>
        <source>One model translates there and back only by language codes; name both, or a model back.</source>
        <translation>Một mô hình chỉ dịch đi và về nhờ mã ngôn ngữ; hãy nêu cả hai, hoặc một mô hình dịch ngược.</translation>
    </message>
    <message>
        <source>A drop step names neither a finding nor rows, so it drops nothing.</source>
        <translation>Một bước loại dòng không nêu phát hiện hay dòng nào, nên không loại gì.</translation>
    </message>
    <message>
        <source>A replace step holds half of a character, which no text may have.</source>
        <translation>Một bước thay văn bản chứa nửa ký tự, điều không văn bản nào được có.</translation>
    </message>
    <message>
        <source>The endpoint needs an address that starts with http:// or https://.</source>
        <translation>Endpoint cần một địa chỉ bắt đầu bằng http:// hoặc https://.</translation>
    </message>
    <message>
        <source>The regular expression {0} cannot be used: {1}.</source>
        <translation>Không dùng được biểu thức chính quy {0}: {1}.</translation>
    </message>
    <message>
        <source>Rows would leave the node for {0}; turn on that they may.</source>
        <translation>Các dòng sẽ rời máy chạy để tới {0}; hãy bật cho phép điều đó.</translation>
    </message>
    <message>
        <source>The rows have no class, so there is nothing to balance.</source>
        <translation>Các dòng không có lớp, nên không có gì để cân bằng.</translation>
    </message>
    <message>
        <source>The class map has the line {0}; write OLD=NEW.</source>
        <translation>Bảng lớp có hàng {0}; hãy viết CŨ=MỚI.</translation>
    </message>
    <message>
        <source>The momentum at the peak is set, but this optimizer has no momentum to move.</source>
        <translation>Đã đặt momentum ở đỉnh, nhưng bộ tối ưu này không có momentum để thay đổi.</translation>
    </message>
    <message>
        <source>A range test rises exponentially, so it cannot begin at a learning rate of 0.</source>
        <translation>Phép thử khoảng tăng theo hàm mũ, nên không thể bắt đầu ở tốc độ học 0.</translation>
    </message>
    <message>
        <source>A hand-drawn schedule has no points.</source>
        <translation>Lịch vẽ tay không có điểm nào.</translation>
    </message>
    <message>
        <source>Keep the momentum</source>
        <translation>Giữ nguyên momentum</translation>
    </message>
    <message>
        <source>Begin at 1e-5 of the peak</source>
        <translation>Bắt đầu ở 1e-5 của đỉnh</translation>
    </message>
    <message>
        <source>Start from a straight fall</source>
        <translation>Bắt đầu từ đường giảm thẳng</translation>
    </message>
    <message>
        <source>A multi-step schedule has no points.</source>
        <translation>Lịch nhiều bậc không có điểm nào.</translation>
    </message>
    <message>
        <source>The momentum at the peak, {0}, is not below the momentum itself, {1}.</source>
        <translation>Momentum ở đỉnh, {0}, không thấp hơn chính momentum, {1}.</translation>
    </message>
    <message>
        <source>Fall to a tenth at 50 % and 75 %</source>
        <translation>Giảm còn một phần mười ở 50 % và 75 %</translation>
    </message>
    <message>
        <source>The points of the schedule are out of order: each has to lie after the one before.</source>
        <translation>Các điểm của lịch không đúng thứ tự: mỗi điểm phải nằm sau điểm trước.</translation>
    </message>
    <message>
        <source>Warmup and cooldown take {0} + {1} steps, which is more than the run of {2} steps.</source>
        <translation>Khởi động và hạ nhiệt cần {0} + {1} bước, nhiều hơn lượt chạy {2} bước.</translation>
    </message>
    <message>
        <source>Cool down over 20 %</source>
        <translation>Hạ nhiệt trong 20 %</translation>
    </message>
    <message>
        <source>Warm up over 10 %, cool down over 20 %</source>
        <translation>Khởi động trong 10 %, hạ nhiệt trong 20 %</translation>
    </message>
    <message>
        <source>The {0} is given in {1}; how many steps that is can be told once the data is looked at.</source>
        <translation>{0} được cho theo {1}; là bao nhiêu bước thì chỉ biết được sau khi xem xét dữ liệu.</translation>
    </message>
    <message>
        <source>Take the point out</source>
        <translation>Bỏ điểm này đi</translation>
    </message>
    <message>
        <source>Put them in order</source>
        <translation>Xếp chúng theo thứ tự</translation>
    </message>
    <message>
        <source>The first update has a learning rate of 0, as in transformers, and changes nothing; start the warmup above 0 to use it.</source>
        <translation>Lần cập nhật đầu tiên có tốc độ học bằng 0, như trong transformers, và không thay đổi gì; hãy cho khởi động từ mức trên 0 để tận dụng nó.</translation>
    </message>
    <message>
        <source>{0} is {1}; published recipes use {2} to {3} ({4}).</source>
        <translation>{0} là {1}; các công thức đã công bố dùng {2} đến {3} ({4}).</translation>
    </message>
    <message>
        <source>At ZeRO 0 the optimizer holds the model&apos;s own weights; there is no copy that could lie elsewhere.</source>
        <translation>Ở ZeRO 0 bộ tối ưu giữ chính trọng số của mô hình; không có bản sao nào có thể nằm nơi khác.</translation>
    </message>
    <message>
        <source>Below ZeRO 3 every GPU keeps all weights for the whole run.</source>
        <translation>Dưới ZeRO 3, mỗi GPU giữ mọi trọng số suốt cả lượt chạy.</translation>
    </message>
    <message>
        <source>Muon needs whole matrices, and ZeRO 1 and more hand the optimizer flat pieces of them.</source>
        <translation>Muon cần ma trận nguyên vẹn, mà ZeRO 1 trở lên chỉ đưa cho bộ tối ưu các mảnh phẳng của chúng.</translation>
    </message>
    <message>
        <source>PyTorch&apos;s Muon refuses what is no matrix. DeepSpeed&apos;s own scales its update in another way and clips it after it is orthogonalised, so it is not PyTorch&apos;s.</source>
        <translation>Muon của PyTorch từ chối những gì không phải ma trận. Bản riêng của DeepSpeed co giãn bước cập nhật theo cách khác và cắt sau khi trực giao hóa, nên nó không phải Muon của PyTorch.</translation>
    </message>
    <message>
        <source>Adafactor needs whole matrices, and under ZeRO 1 and more it would give wrong updates without a word.</source>
        <translation>Adafactor cần ma trận nguyên vẹn, và từ ZeRO 1 trở lên nó sẽ cho cập nhật sai mà không báo gì.</translation>
    </message>
    <message>
        <source>It keeps a row and a column of each matrix and scales by the tensor&apos;s size; on flat pieces three updates are off by a fifth to all of their size.</source>
        <translation>Nó giữ một hàng và một cột của mỗi ma trận và co giãn theo kích thước tensor; trên các mảnh phẳng, ba lần cập nhật sai lệch từ một phần năm đến toàn bộ độ lớn.</translation>
    </message>
    <message>
        <source>Muon and Adafactor need ZeRO 0, where fp16 does not scale the loss.</source>
        <translation>Muon và Adafactor cần ZeRO 0, mà ở đó fp16 không nhân hệ số cho loss.</translation>
    </message>
    <message>
        <source>The one needs whole matrices, the other a loss scale; no ZeRO stage has both.</source>
        <translation>Bên này cần ma trận nguyên vẹn, bên kia cần hệ số loss; không mức ZeRO nào có cả hai.</translation>
    </message>
    <message>
        <source>AdamW in 8 bits keeps its states on the GPU; it cannot be offloaded.</source>
        <translation>AdamW 8 bit giữ trạng thái trên GPU; không thể chuyển sang CPU.</translation>
    </message>
    <message>
        <source>AdamW in 8 bits runs on GPUs only.</source>
        <translation>AdamW 8 bit chỉ chạy trên GPU.</translation>
    </message>
    <message>
        <source>Its form for CPUs would be compiled for minutes, and PyTorch&apos;s fused kernel is there without that.</source>
        <translation>Bản cho CPU phải biên dịch nhiều phút, còn nhân fused của PyTorch có sẵn mà không cần thế.</translation>
    </message>
    <message>
        <source>Clipping by value and by norm together need ZeRO 0.</source>
        <translation>Cắt theo giá trị cùng lúc với cắt theo chuẩn cần ZeRO 0.</translation>
    </message>
    <message>
        <source>The norm of the clamped gradient needs all of it at once; from ZeRO 1 on the optimizer sees it in parts.</source>
        <translation>Chuẩn của gradient đã cắt cần toàn bộ gradient cùng lúc; từ ZeRO 1 trở lên bộ tối ưu chỉ thấy từng phần.</translation>
    </message>
    <message>
        <source>Its kernels take fp16 and bf16.</source>
        <translation>Các nhân tính của nó nhận fp16 và bf16.</translation>
    </message>
    <message>
        <source>Its kernels are CUDA&apos;s.</source>
        <translation>Các nhân tính của nó là của CUDA.</translation>
    </message>
    <message>
        <source>FlashAttention 2 needs GPUs of compute capability 8.0 or later.</source>
        <translation>FlashAttention 2 cần GPU có compute capability 8.0 trở lên.</translation>
    </message>
    <message>
        <source>Its kernels are written for Ampere and later.</source>
        <translation>Các nhân tính của nó được viết cho Ampere trở về sau.</translation>
    </message>
    <message>
        <source>At ZeRO 0 the engine divides the gradients by a loss scale that it has not applied; three AdamW updates are off by a quarter.</source>
        <translation>Ở ZeRO 0 engine chia gradient cho một hệ số loss mà nó chưa hề áp dụng; ba lần cập nhật AdamW sai lệch một phần tư.</translation>
    </message>
    <message>
        <source>PyTorch has no fast bf16 matrix products for most CPUs.</source>
        <translation>PyTorch không có phép nhân ma trận bf16 nhanh cho phần lớn CPU.</translation>
    </message>
    <message>
        <source>{0} has no GPU, and DeepSpeed refuses fp16 on most CPUs.</source>
        <translation>{0} không có GPU, và DeepSpeed từ chối fp16 trên phần lớn CPU.</translation>
    </message>
    <message>
        <source>It asks for AVX-512 FP16, which few processors have.</source>
        <translation>Nó đòi AVX-512 FP16, thứ mà ít bộ xử lý có.</translation>
    </message>
    <message>
        <source>Liger&apos;s fused loss runs on GPUs only.</source>
        <translation>Loss gộp của Liger chỉ chạy trên GPU.</translation>
    </message>
    <message>
        <source>Its kernels are Triton&apos;s.</source>
        <translation>Các nhân tính của nó là của Triton.</translation>
    </message>
    <message>
        <source>Every parameter of the model is frozen; there is nothing to train.</source>
        <translation>Mọi tham số của mô hình đều bị đóng băng; không có gì để huấn luyện.</translation>
    </message>
    <message>
        <source>Freeze nothing</source>
        <translation>Không đóng băng gì</translation>
    </message>
    <message>
        <source>No matrix that Muon would update is trained; everything is left to AdamW.</source>
        <translation>Không có ma trận nào mà Muon sẽ cập nhật được huấn luyện; mọi thứ để lại cho AdamW.</translation>
    </message>
    <message>
        <source>Use AdamW</source>
        <translation>Dùng AdamW</translation>
    </message>
    <message>
        <source>Do not pack</source>
        <translation>Không ghép chuỗi</translation>
    </message>
    <message>
        <source>No memory; the gradient&apos;s norm is computed for the journal anyway.</source>
        <translation>Không tốn bộ nhớ; chuẩn gradient đằng nào cũng được tính để ghi nhật ký.</translation>
    </message>
    <message>
        <source>No memory; one pass over the gradient an update.</source>
        <translation>Không tốn bộ nhớ; mỗi lần cập nhật duyệt gradient một lượt.</translation>
    </message>
    <message>
        <source>A mask, 1 byte an element, wherever the model drops; a few percent of the time.</source>
        <translation>Một mặt nạ, 1 byte mỗi phần tử, ở mọi chỗ mô hình bỏ; vài phần trăm thời gian.</translation>
    </message>
    <message>
        <source>Two masks of 1 byte a token and width in each layer, none with activation checkpointing; a few percent of the time.</source>
        <translation>Hai mặt nạ, 1 byte cho mỗi token nhân độ rộng, ở mỗi lớp, không có khi dùng checkpoint activation; vài phần trăm thời gian.</translation>
    </message>
    <message>
        <source>One copy of the embeddings&apos; output of a micro batch, in fp32; next to no time.</source>
        <translation>Một bản sao đầu ra embedding của một micro batch, ở fp32; hầu như không tốn thời gian.</translation>
    </message>
    <message>
        <source>No memory; an evaluation each time, as often as the run evaluates.</source>
        <translation>Không tốn bộ nhớ; mỗi lần một lượt đánh giá, theo tần suất đánh giá của lượt chạy.</translation>
    </message>
    <message>
        <source>The model&apos;s config has no dropout, so there is none to set. Residual dropout works without one.</source>
        <translation>Cấu hình của mô hình không có dropout, nên không có gì để đặt. Dropout residual hoạt động mà không cần nó.</translation>
    </message>
    <message>
        <source>Mixup mixes rows one by one, and packing puts several into a sequence.</source>
        <translation>Mixup trộn từng dòng một, còn ghép chuỗi đặt nhiều dòng vào một chuỗi.</translation>
    </message>
    <message>
        <source>Mixup needs two rows in a micro batch; there is one.</source>
        <translation>Mixup cần hai dòng trong một micro batch; chỉ có một.</translation>
    </message>
    <message>
        <source>Mixup needs rows side by side; with FlashAttention 2 a micro batch is one long row.</source>
        <translation>Mixup cần các dòng cạnh nhau; với FlashAttention 2, một micro batch là một dòng dài.</translation>
    </message>
    <message>
        <source>Mixup and R-Drop are not meant for each other: one mixes targets, the other compares two predictions of one target.</source>
        <translation>Mixup và R-Drop không dành cho nhau: một bên trộn các đích, bên kia so sánh hai dự đoán của cùng một đích.</translation>
    </message>
    <message>
        <source>R-Drop compares two passes of a row, and packing puts several into a sequence.</source>
        <translation>R-Drop so sánh hai lượt qua của một dòng, còn ghép chuỗi đặt nhiều dòng vào một chuỗi.</translation>
    </message>
    <message>
        <source>R-Drop needs rows side by side; with FlashAttention 2 a micro batch is one long row.</source>
        <translation>R-Drop cần các dòng cạnh nhau; với FlashAttention 2, một micro batch là một dòng dài.</translation>
    </message>
    <message>
        <source>R-Drop compares two dropout masks, and no dropout is on: both passes would be the same.</source>
        <translation>R-Drop so sánh hai mặt nạ dropout, mà không có dropout nào bật: hai lượt qua sẽ giống hệt nhau.</translation>
    </message>
    <message>
        <source>Use residual dropout</source>
        <translation>Dùng dropout residual</translation>
    </message>
    <message>
        <source>Early stopping goes by the held-out loss, and there is no held-out part.</source>
        <translation>Dừng sớm dựa vào loss trên tập giữ lại, mà không có phần giữ lại.</translation>
    </message>
    <message>
        <source>Early stopping needs evaluations during the run, and there are none.</source>
        <translation>Dừng sớm cần có đánh giá trong lượt chạy, mà không có lần nào.</translation>
    </message>
    <message>
        <source>Do not average</source>
        <translation>Không lấy trung bình</translation>
    </message>
    <message>
        <source>Average the end of the run</source>
        <translation>Lấy trung bình đoạn cuối lượt chạy</translation>
    </message>
    <message>
        <source>One copy of the embeddings&apos; output; the head computes its logits for both rows&apos; labels, about twice its time{0}.</source>
        <translation>Một bản sao đầu ra embedding; lớp đầu ra tính logit cho nhãn của cả hai dòng, khoảng gấp đôi thời gian của nó{0}.</translation>
    </message>
    <message>
        <source>{0} for the base weights; one pass over the weights an update, after clipping. The loss shown is without it.</source>
        <translation>{0} cho trọng số gốc; mỗi lần cập nhật duyệt trọng số một lượt, sau khi cắt. Loss hiển thị không gồm phần này.</translation>
    </message>
    <message>
        <source>{0} for the average, also in checkpoints with full state; one pass over the weights an update, and each evaluation and save exchanges the weights twice.</source>
        <translation>{0} cho giá trị trung bình, cũng có trong checkpoint với trạng thái đầy đủ; mỗi lần cập nhật duyệt trọng số một lượt, và mỗi lần đánh giá và lưu hoán đổi trọng số hai lần.</translation>
    </message>
    <message>
        <source>Micro batch of 2</source>
        <translation>Micro batch bằng 2</translation>
    </message>
    <message>
        <source>Use ZeRO 0</source>
        <translation>Dùng ZeRO 0</translation>
    </message>
    <message>
        <source>Use ZeRO 1</source>
        <translation>Dùng ZeRO 1</translation>
    </message>
    <message>
        <source>Use fp32</source>
        <translation>Dùng fp32</translation>
    </message>
    <message>
        <source>Use PyTorch&apos;s kernel</source>
        <translation>Dùng nhân của PyTorch</translation>
    </message>
    <message>
        <source>DeepSpeed&apos;s FusedAdam keeps its states on the GPU; it cannot be offloaded.</source>
        <translation>FusedAdam của DeepSpeed giữ trạng thái trên GPU; không thể chuyển ra ngoài.</translation>
    </message>
    <message>
        <source>In host memory DeepSpeed&apos;s CPUAdam or PyTorch&apos;s own kernel computes the updates.</source>
        <translation>Trong bộ nhớ máy chủ, CPUAdam của DeepSpeed hoặc nhân của PyTorch tính các bước cập nhật.</translation>
    </message>
    <message>
        <source>DeepSpeed&apos;s FusedAdam runs on GPUs only.</source>
        <translation>FusedAdam của DeepSpeed chỉ chạy trên GPU.</translation>
    </message>
    <message>
        <source>Two sequences of several rows have no common place where a row begins.</source>
        <translation>Hai chuỗi gồm nhiều dòng không có chung chỗ bắt đầu dòng.</translation>
    </message>
    <message>
        <source>A row is mixed with another of its own micro batch.</source>
        <translation>Một dòng được trộn với dòng khác trong cùng lô nhỏ.</translation>
    </message>
    <message>
        <source>Its kernels find the rows&apos; ends in the positions, so the rows of a micro batch are joined.</source>
        <translation>Các nhân của nó tìm chỗ kết thúc dòng qua vị trí, nên các dòng của lô nhỏ được nối lại.</translation>
    </message>
    <message>
        <source>Neither paper says what their sum would be.</source>
        <translation>Không bài báo nào nói tổng của chúng sẽ là gì.</translation>
    </message>
    <message>
        <source>Its paper compares passes of single rows; over packed ones nobody has shown what it does.</source>
        <translation>Bài báo so sánh các lượt của từng dòng riêng; chưa ai cho thấy nó làm gì trên dòng đã đóng gói.</translation>
    </message>
    <message>
        <source>The divergence of two equal predictions is 0, for twice the time.</source>
        <translation>Độ phân kỳ của hai dự đoán bằng nhau là 0, mà tốn gấp đôi thời gian.</translation>
    </message>
    <message>
        <source>Use ZeRO 3</source>
        <translation>Dùng ZeRO 3</translation>
    </message>
    <message>
        <source>Clip by value only</source>
        <translation>Chỉ cắt theo giá trị</translation>
    </message>
    <message>
        <source>Use fp16</source>
        <translation>Dùng fp16</translation>
    </message>
    <message>
        <source>Use the lean loss</source>
        <translation>Dùng hàm mất mát tiết kiệm</translation>
    </message>
    <message>
        <source>Turn mixup off</source>
        <translation>Tắt mixup</translation>
    </message>
    <message>
        <source>Residual dropout of 0.1</source>
        <translation>Dropout residual 0.1</translation>
    </message>
    <message>
        <source>Set to {0} %</source>
        <translation>Đặt thành {0} %</translation>
    </message>
    <message>
        <source>The mean over the last {0} % of {1} steps would be over one step only.</source>
        <translation>Trung bình trên {0} % cuối của {1} bước sẽ chỉ gồm một bước.</translation>
    </message>
    <message>
        <source>The average looks back over about {0} steps, the run has {1}: it would be mostly the weights of the beginning.</source>
        <translation>Giá trị trung bình nhìn lại khoảng {0} bước, lượt chạy có {1}: nó sẽ chủ yếu là trọng số của lúc đầu.</translation>
    </message>
    <message>
        <source>Evaluate every {0}</source>
        <translation>Đánh giá sau mỗi {0}</translation>
    </message>
    <message>
        <source>Early stopping can never end this run: it has {0} evaluations before its end, and it takes one to set the mark and {1} more.</source>
        <translation>Dừng sớm không bao giờ có thể kết thúc lượt chạy này: nó có {0} lần đánh giá trước khi kết thúc, mà cần một lần để đặt mốc và {1} lần nữa.</translation>
    </message>
    <message>
        <source>Turn it off</source>
        <translation>Tắt nó đi</translation>
    </message>
    <message>
        <source>No update came for {0} s; the median step takes {1} s.</source>
        <translation>Không có lần cập nhật nào trong {0} giây; bước trung vị mất {1} giây.</translation>
    </message>
    <message>
        <source>The gradient norm of step {0} is {1}, {2} times the median of {3}.</source>
        <translation>Chuẩn gradient của bước {0} là {1}, gấp {2} lần trung vị của {3}.</translation>
    </message>
    <message>
        <source>Rank {0} takes {1} times as long as the others for its own part of the last {2} steps.</source>
        <translation>Tiến trình {0} mất gấp {1} lần các tiến trình khác cho phần việc riêng trong {2} bước gần nhất.</translation>
    </message>
    <message>
        <source>The held-out loss was above its best of {0} in the last {1} evaluations, while the training loss fell from {2} to {3}: the model memorises.</source>
        <translation>Loss trên tập giữ lại cao hơn mức tốt nhất {0} trong {1} lần đánh giá gần nhất, trong khi loss huấn luyện giảm từ {2} xuống {3}: mô hình đang học vẹt.</translation>
    </message>
    <message>
        <source>The loss of the last {0} steps is {1}, {2} times {3} {4}.</source>
        <translation>Loss của {0} bước gần nhất là {1}, gấp {2} lần {3} {4}.</translation>
    </message>
    <message>
        <source>The last {0} steps ran at {1} tokens/s; usual are {2}.</source>
        <translation>{0} bước gần nhất chạy ở {1} token/s; thường là {2}.</translation>
    </message>
    <message>
        <source>The learning rate of step {0} is {1}; planned is {2}.</source>
        <translation>Tốc độ học của bước {0} là {1}; kế hoạch là {2}.</translation>
    </message>
    <message>
        <source>The {0} of step {1} is {2}; the weights may be spoilt from here on.</source>
        <translation>{0} của bước {1} là {2}; từ đây trở đi trọng số có thể đã hỏng.</translation>
    </message>
    <message>
        <source>The run has finished after {0} steps.</source>
        <translation>Lượt chạy đã hoàn tất sau {0} bước.</translation>
    </message>
    <message>
        <source>The run failed {0}.</source>
        <translation>Lượt chạy thất bại {0}.</translation>
    </message>
    <message>
        <source>The run was interrupted {0}.</source>
        <translation>Lượt chạy bị gián đoạn {0}.</translation>
    </message>
    <message>
        <source>The node&apos;s memory holds {0} of {1} GiB.</source>
        <translation>Bộ nhớ của máy chạy đang giữ {0} trên {1} GiB.</translation>
    </message>
    <message>
        <source>The disk has {0} GiB left; the last checkpoint took {1} GiB.</source>
        <translation>Đĩa còn {0} GiB; checkpoint cuối chiếm {1} GiB.</translation>
    </message>
    <message>
        <source>GPU {0} is at {1} °C.</source>
        <translation>GPU {0} đang ở {1} °C.</translation>
    </message>
    <message>
        <source>GPU {0} slows itself down: {1}.</source>
        <translation>GPU {0} tự giảm tốc: {1}.</translation>
    </message>
    <message>
        <source>GPU {0} holds {1} of {2} GiB.</source>
        <translation>GPU {0} đang giữ {1} trên {2} GiB.</translation>
    </message>
    <message>
        <source>Keep 1</source>
        <translation>Giữ 1</translation>
    </message>
    <message>
        <source>Load in the ranks</source>
        <translation>Nạp trong các tiến trình</translation>
    </message>
    <message>
        <source>{0}{1}; free is {2}.</source>
        <translation>{0}{1}; còn rảnh: {2}.</translation>
    </message>
    <message>
        <source>The node&apos;s clock is {0} s {1} this computer&apos;s. Nothing depends on it but the times that are shown, and certificates of the Hub.</source>
        <translation>Đồng hồ của máy chạy lệch {0} giây ({1}) so với máy này. Chỉ ảnh hưởng đến thời gian hiển thị và chứng chỉ của Hub.</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>Tắt</translation>
    </message>
    <message>
        <source>The checkpoints planned take up to {0} GiB (estimated), one being written while {1} are kept; {2} has {3} GiB left.</source>
        <translation>Các checkpoint dự kiến cần tới {0} GiB (ước tính), một cái đang ghi trong khi giữ {1} cái; {2} còn {3} GiB.</translation>
    </message>
    <message>
        <source>The user may have {0} processes and threads (ulimit -u); {1} are wanted for {2} ranks.</source>
        <translation>Người dùng được có {0} tiến trình và luồng (ulimit -u); cần {1} cho {2} tiến trình huấn luyện.</translation>
    </message>
    <message>
        <source>A file may have {0} MiB at most (ulimit -f); a checkpoint may be larger.</source>
        <translation>Một tệp được tối đa {0} MiB (ulimit -f); checkpoint có thể lớn hơn.</translation>
    </message>
    <message>
        <source>The job asks for FlashAttention 2, and {0}. It is not compiled unasked; PyTorch&apos;s own attention (SDPA) needs nothing.</source>
        <translation>Công việc yêu cầu FlashAttention 2, mà {0}. Nó không được tự ý biên dịch; attention của PyTorch (SDPA) không cần gì thêm.</translation>
    </message>
    <message>
        <source>The processes take about {0} GiB of the host&apos;s memory (estimated); {1} GiB are free.</source>
        <translation>Các tiến trình cần khoảng {0} GiB bộ nhớ máy (ước tính); còn trống {1} GiB.</translation>
    </message>
    <message>
        <source>The job&apos;s learning rate is 0, so there is nothing to scale.</source>
        <translation>Tốc độ học của công việc là 0 nên không có gì để nhân.</translation>
    </message>
    <message>
        <source>The learning rate has to be above 0.</source>
        <translation>Tốc độ học phải lớn hơn 0.</translation>
    </message>
    <message>
        <source>The evaluation interval cannot be below 0.</source>
        <translation>Khoảng đánh giá không thể nhỏ hơn 0.</translation>
    </message>
    <message>
        <source>{0} cannot be changed while the run goes on.</source>
        <translation>{0} không thể đổi khi lượt chạy đang diễn ra.</translation>
    </message>
    <message>
        <source>The new value of {0} has to be a number.</source>
        <translation>Giá trị mới của {0} phải là một số.</translation>
    </message>
    <message>
        <source>{0} has to be a whole number.</source>
        <translation>{0} phải là số nguyên.</translation>
    </message>
    <message>
        <source>The run has done {0} updates; its end has to lie beyond.</source>
        <translation>Lượt chạy đã qua {0} lần cập nhật; điểm kết thúc phải nằm sau đó.</translation>
    </message>
    <message>
        <source>A run has at least one rank and a ZeRO stage from 0 to 3.</source>
        <translation>Một lượt chạy có ít nhất một tiến trình và mức ZeRO từ 0 đến 3.</translation>
    </message>
    <message>
        <source>Parameters are offloaded, which needs ZeRO stage 3.</source>
        <translation>Tham số được chuyển sang CPU, việc này cần ZeRO mức 3.</translation>
    </message>
    <message>
        <source>The optimizer is offloaded, which needs a ZeRO stage from 1 on.</source>
        <translation>Bộ tối ưu được chuyển sang CPU, việc này cần ZeRO từ mức 1.</translation>
    </message>
    <message>
        <source>The state of {0} at ZeRO stage {1} cannot go on with {2} at stage {3}: {4}.</source>
        <translation>Trạng thái của {0} ở ZeRO mức {1} không thể đi tiếp với {2} ở mức {3}: {4}.</translation>
    </message>
    <message>
        <source>The global batch of {0} sequences does not divide among {1} ranks; choose a number that divides it.</source>
        <translation>Batch toàn cục {0} chuỗi không chia hết cho {1} tiến trình; hãy chọn số chia hết.</translation>
    </message>
    <message>
        <source>{0} TFLOP/s are above the GPU&apos;s peak of {1}. Tokens, time or the kind of GPU must be wrong.</source>
        <translation>{0} TFLOP/s vượt đỉnh {1} của GPU. Số token, thời gian hoặc loại GPU hẳn là sai.</translation>
    </message>
    <message>
        <source>{0} TFLOP/s are above the GPU&apos;s peak of {1}. Attention is counted over whole sequences; causal kernels and packed rows compute less of it.</source>
        <translation>{0} TFLOP/s vượt đỉnh {1} của GPU. Attention được tính trên cả chuỗi; kernel nhân quả và dòng đóng gói tính ít hơn.</translation>
    </message>
    <message>
        <source>{0} tokens a second is no rate.</source>
        <translation>{0} token mỗi giây không phải là một tốc độ.</translation>
    </message>
    <message>
        <source>Keep the first of each</source>
        <translation>Giữ dòng đầu của mỗi nhóm</translation>
    </message>
    <message>
        <source>Turn them back</source>
        <translation>Khôi phục chúng</translation>
    </message>
    <message>
        <source>Take them out</source>
        <translation>Bỏ chúng ra</translation>
    </message>
    <message>
        <source>Put user@example.com there</source>
        <translation>Thay bằng user@example.com</translation>
    </message>
    <message>
        <source>Take fewer of the large</source>
        <translation>Lấy bớt lớp lớn</translation>
    </message>
    <message>
        <source>Repeat the small</source>
        <translation>Lặp lại lớp nhỏ</translation>
    </message>
    <message>
        <source>Take {0} out of the turns</source>
        <translation>Bỏ {0} khỏi các lượt nói</translation>
    </message>
    <message>
        <source>Train one whole pass</source>
        <translation>Huấn luyện trọn một lượt</translation>
    </message>
    <message>
        <source>Train three passes</source>
        <translation>Huấn luyện ba lượt</translation>
    </message>
    <message>
        <source>Make them single tokens</source>
        <translation>Biến chúng thành token đơn</translation>
    </message>
    <message>
        <source>Use the template {0}</source>
        <translation>Dùng mẫu {0}</translation>
    </message>
    <message>
        <source>Train on every answer</source>
        <translation>Học mọi câu trả lời</translation>
    </message>
    <message>
        <source>Set the length to {0} (holds {1})</source>
        <translation>Đặt độ dài thành {0} (chứa {1})</translation>
    </message>
    <message>
        <source>There is no finding named {0}; there are {1}.</source>
        <translation>Không có phát hiện nào tên {0}; chỉ có {1}.</translation>
    </message>
    <message>
        <source>Unusable rows</source>
        <translation>Dòng không dùng được</translation>
    </message>
    <message>
        <source>Training on the rest without them would be another data set than the one you chose.</source>
        <translation>Huấn luyện phần còn lại mà thiếu chúng là một tập dữ liệu khác với tập bạn chọn.</translation>
    </message>
    <message>
        <source>Nothing trained</source>
        <translation>Không học gì</translation>
    </message>
    <message>
        <source>{0} with no token to train on, left out.</source>
        <translation>{0} không có token nào để học, bị loại.</translation>
    </message>
    <message>
        <source>A row without a trained token costs compute and teaches nothing, so it does not reach the model.</source>
        <translation>Dòng không có token được học tốn tính toán mà không dạy gì, nên không đến với mô hình.</translation>
    </message>
    <message>
        <source>Empty response</source>
        <translation>Câu trả lời trống</translation>
    </message>
    <message>
        <source>{0} with an empty response; only the end of the turn is learnt from it.</source>
        <translation>{0} có câu trả lời trống; chỉ học được phần kết lượt nói từ đó.</translation>
    </message>
    <message>
        <source>The model learns from them to answer with nothing.</source>
        <translation>Mô hình học từ chúng cách trả lời bằng không gì cả.</translation>
    </message>
    <message>
        <source>Response cut</source>
        <translation>Câu trả lời bị cắt</translation>
    </message>
    <message>
        <source>{0} whose response is cut at {1} tokens{2}.</source>
        <translation>{0} có câu trả lời bị cắt ở {1} token{2}.</translation>
    </message>
    <message>
        <source>What is cut away is not learnt, and the answer that is left stops without its end.</source>
        <translation>Phần bị cắt không được học, và câu trả lời còn lại dừng mà không có phần kết.</translation>
    </message>
    <message>
        <source>Over the length</source>
        <translation>Vượt độ dài</translation>
    </message>
    <message>
        <source>{0} over {1} tokens, {2}.</source>
        <translation>{0} dài hơn {1} token, {2}.</translation>
    </message>
    <message>
        <source>What lies beyond the sequence length is not seen together with what stands before it.</source>
        <translation>Phần vượt độ dài chuỗi không được nhìn cùng với phần đứng trước nó.</translation>
    </message>
    <message>
        <source>Only the last turn</source>
        <translation>Chỉ lượt cuối</translation>
    </message>
    <message>
        <source>{0} of several answers, of which only the last is trained.</source>
        <translation>{0} có nhiều câu trả lời, chỉ câu cuối được học.</translation>
    </message>
    <message>
        <source>The earlier answers are read as context and not learnt.</source>
        <translation>Các câu trả lời trước được đọc như ngữ cảnh và không được học.</translation>
    </message>
    <message>
        <source>No end of turn</source>
        <translation>Thiếu kết lượt nói</translation>
    </message>
    <message>
        <source>{0} whose last answer is followed by no end marker.</source>
        <translation>{0} có câu trả lời cuối không kèm dấu kết thúc.</translation>
    </message>
    <message>
        <source>A model that never sees where an answer ends does not learn to stop.</source>
        <translation>Mô hình không bao giờ thấy câu trả lời kết thúc ở đâu thì không học được cách dừng.</translation>
    </message>
    <message>
        <source>End not trained</source>
        <translation>Kết thúc không được học</translation>
    </message>
    <message>
        <source>{0} whose end of turn is there but not trained.</source>
        <translation>{0} có kết lượt nói nhưng không được học.</translation>
    </message>
    <message>
        <source>The model reads the marker and never learns to write it, so its answers may not stop.</source>
        <translation>Mô hình đọc dấu đó mà không bao giờ học viết nó, nên câu trả lời có thể không dừng.</translation>
    </message>
    <message>
        <source>Doubled start</source>
        <translation>Token đầu lặp đôi</translation>
    </message>
    <message>
        <source>{0} that start with the beginning token twice.</source>
        <translation>{0} bắt đầu bằng token mở đầu hai lần.</translation>
    </message>
    <message>
        <source>The model was made with one, so every such row starts unlike anything it has seen.</source>
        <translation>Mô hình được tạo với một token, nên mỗi dòng như vậy mở đầu khác mọi thứ nó từng thấy.</translation>
    </message>
    <message>
        <source>Roles out of order</source>
        <translation>Vai sai thứ tự</translation>
    </message>
    <message>
        <source>{0} whose turns are out of order. The first: {1}.</source>
        <translation>{0} có lượt nói sai thứ tự. Dòng đầu: {1}.</translation>
    </message>
    <message>
        <source>Chat templates are written for turns that alternate and end with the assistant; others are rendered oddly.</source>
        <translation>Mẫu hội thoại được viết cho các lượt xen kẽ và kết thúc bằng trợ lý; kiểu khác được dựng lạ.</translation>
    </message>
    <message>
        <source>Tools not shown</source>
        <translation>Công cụ không hiện</translation>
    </message>
    <message>
        <source>{0} with tools or tool calls that the chat template does not write.</source>
        <translation>{0} có công cụ hoặc lời gọi công cụ mà mẫu hội thoại không viết ra.</translation>
    </message>
    <message>
        <source>The model is trained to call functions that it is never shown, or never sees the call.</source>
        <translation>Mô hình được dạy gọi những hàm nó không bao giờ thấy, hoặc không bao giờ thấy lời gọi.</translation>
    </message>
    <message>
        <source>Duplicates</source>
        <translation>Trùng lặp</translation>
    </message>
    <message>
        <source>{0} repeating an earlier one word for word.</source>
        <translation>{0} lặp lại nguyên văn một dòng trước đó.</translation>
    </message>
    <message>
        <source>Every copy counts as one more pass over that row, which makes it easier to learn by heart.</source>
        <translation>Mỗi bản sao như thêm một lượt qua dòng đó, khiến nó dễ bị học thuộc hơn.</translation>
    </message>
    <message>
        <source>Near-duplicates</source>
        <translation>Gần trùng lặp</translation>
    </message>
    <message>
        <source>{0} that are at least {1} like an earlier one.</source>
        <translation>{0} giống ít nhất {1} một dòng trước đó.</translation>
    </message>
    <message>
        <source>Rows that say nearly the same are trained on more often than the rest without adding to it.</source>
        <translation>Các dòng nói gần như nhau được học nhiều hơn phần còn lại mà không thêm gì.</translation>
    </message>
    <message>
        <source>Different answers</source>
        <translation>Câu trả lời khác nhau</translation>
    </message>
    <message>
        <source>{0} whose prompt has a different answer in another row.</source>
        <translation>{0} có prompt được trả lời khác ở một dòng khác.</translation>
    </message>
    <message>
        <source>The loss on such rows cannot go to nothing: the same question pulls in several directions.</source>
        <translation>Loss trên các dòng này không thể về không: cùng câu hỏi kéo về nhiều hướng.</translation>
    </message>
    <message>
        <source>Leakage</source>
        <translation>Rò rỉ</translation>
    </message>
    <message>
        <source>{0} of the held-out part trained on too, so the held-out loss looks too good.</source>
        <translation>{0} của phần giữ lại cũng được huấn luyện, nên loss trên tập giữ lại trông quá tốt.</translation>
    </message>
    <message>
        <source>The held-out loss stands for data the model has not seen, and these it has.</source>
        <translation>Loss trên tập giữ lại đại diện cho dữ liệu mô hình chưa thấy, còn các dòng này nó đã thấy.</translation>
    </message>
    <message>
        <source>Near leakage</source>
        <translation>Gần rò rỉ</translation>
    </message>
    <message>
        <source>{0} of the held-out part that are at least {1} like a trained one.</source>
        <translation>{0} của phần giữ lại giống ít nhất {1} một dòng được huấn luyện.</translation>
    </message>
    <message>
        <source>The held-out loss stands for data the model has not seen, and these it has nearly seen.</source>
        <translation>Loss trên tập giữ lại đại diện cho dữ liệu mô hình chưa thấy, còn các dòng này nó gần như đã thấy.</translation>
    </message>
    <message>
        <source>Wrong encoding</source>
        <translation>Sai bảng mã</translation>
    </message>
    <message>
        <source>{0} with text that was read in the wrong encoding. The first: {1}.</source>
        <translation>{0} có văn bản bị đọc sai bảng mã. Dòng đầu: {1}.</translation>
    </message>
    <message>
        <source>The model learns to write the damaged characters.</source>
        <translation>Mô hình học viết các ký tự hỏng.</translation>
    </message>
    <message>
        <source>Lost characters</source>
        <translation>Ký tự bị mất</translation>
    </message>
    <message>
        <source>{0} with replacement characters (U+FFFD). The first: {1}.</source>
        <translation>{0} có ký tự thay thế (U+FFFD). Dòng đầu: {1}.</translation>
    </message>
    <message>
        <source>What stood there is lost, and the model learns to write the replacement.</source>
        <translation>Nội dung ở đó đã mất, và mô hình học viết ký tự thay thế.</translation>
    </message>
    <message>
        <source>Control characters</source>
        <translation>Ký tự điều khiển</translation>
    </message>
    <message>
        <source>{0} with control characters. The first: {1}.</source>
        <translation>{0} có ký tự điều khiển. Dòng đầu: {1}.</translation>
    </message>
    <message>
        <source>They are invisible on screen, and the model learns to write them.</source>
        <translation>Chúng không hiện trên màn hình, và mô hình học viết chúng.</translation>
    </message>
    <message>
        <source>Other language</source>
        <translation>Ngôn ngữ khác</translation>
    </message>
    <message>
        <source>{0} in another language than the rest ({1}).</source>
        <translation>{0} có ngôn ngữ khác phần còn lại ({1}).</translation>
    </message>
    <message>
        <source>A few rows in another language may be there by mistake, or may be too few to teach it.</source>
        <translation>Vài dòng ở ngôn ngữ khác có thể do nhầm, hoặc quá ít để dạy ngôn ngữ ấy.</translation>
    </message>
    <message>
        <source>Refusals</source>
        <translation>Từ chối</translation>
    </message>
    <message>
        <source>{0} whose answer starts as a boilerplate refusal. The first: {1}.</source>
        <translation>{0} có câu trả lời mở đầu bằng lời từ chối rập khuôn. Dòng đầu: {1}.</translation>
    </message>
    <message>
        <source>The model learns to refuse such requests, in another model&apos;s words.</source>
        <translation>Mô hình học từ chối các yêu cầu như vậy, bằng lời của một mô hình khác.</translation>
    </message>
    <message>
        <source>Secrets</source>
        <translation>Bí mật</translation>
    </message>
    <message>
        <source>{0} that seem to hold a key or password. The first: {1}.</source>
        <translation>{0} dường như chứa khóa hoặc mật khẩu. Dòng đầu: {1}.</translation>
    </message>
    <message>
        <source>What is trained on can be brought out of the model again by those who use it.</source>
        <translation>Những gì đã học có thể bị người dùng lấy lại từ mô hình.</translation>
    </message>
    <message>
        <source>E-mail addresses</source>
        <translation>Địa chỉ e-mail</translation>
    </message>
    <message>
        <source>{0} with an e-mail address.</source>
        <translation>{0} có địa chỉ e-mail.</translation>
    </message>
    <message>
        <source>Addresses of people can be brought out of the model again by those who use it.</source>
        <translation>Địa chỉ của người khác có thể bị người dùng lấy lại từ mô hình.</translation>
    </message>
    <message>
        <source>Uneven classes</source>
        <translation>Lớp không đều</translation>
    </message>
    <message>
        <source>The loss is a mean over rows, so the large class weighs as many times more as it has more rows.</source>
        <translation>Loss là trung bình trên các dòng, nên lớp lớn nặng hơn bấy nhiêu lần số dòng nó nhiều hơn.</translation>
    </message>
    <message>
        <source>Unusual length</source>
        <translation>Độ dài bất thường</translation>
    </message>
    <message>
        <source>{0} of unusual length: {1}.</source>
        <translation>{0} có độ dài bất thường: {1}.</translation>
    </message>
    <message>
        <source>Very long or short rows are often several rows run together, or what is left of a broken one.</source>
        <translation>Dòng quá dài hoặc quá ngắn thường là nhiều dòng dính nhau, hoặc phần còn lại của dòng hỏng.</translation>
    </message>
    <message>
        <source>Rows not reached</source>
        <translation>Dòng không tới</translation>
    </message>
    <message>
        <source>What the run does not reach is not learnt.</source>
        <translation>Những gì lượt chạy không tới thì không được học.</translation>
    </message>
    <message>
        <source>Many epochs</source>
        <translation>Nhiều epoch</translation>
    </message>
    <message>
        <source>Text seen more than about four times adds little and is learnt by heart (Muennighoff et al., 2023, arXiv:2305.16264, for pretraining).</source>
        <translation>Văn bản được thấy quá khoảng bốn lần thêm được ít và bị học thuộc (Muennighoff và cộng sự, 2023, arXiv:2305.16264, với tiền huấn luyện).</translation>
    </message>
    <message>
        <source>Split markers</source>
        <translation>Dấu bị tách</translation>
    </message>
    <message>
        <source>Markers of the chat template that are not single tokens here: {0}.</source>
        <translation>Các dấu của mẫu hội thoại không phải token đơn ở đây: {0}.</translation>
    </message>
    <message>
        <source>The model sees each of them as several pieces of ordinary text that a user can type too.</source>
        <translation>Mô hình thấy mỗi dấu như nhiều mảnh văn bản thường mà người dùng cũng gõ được.</translation>
    </message>
    <message>
        <source>Another template</source>
        <translation>Mẫu khác</translation>
    </message>
    <message>
        <source>The chat template is {0}.</source>
        <translation>Mẫu hội thoại là {0}.</translation>
    </message>
    <message>
        <source>A model that was tuned for chat answers best in the format it was tuned with.</source>
        <translation>Mô hình đã tinh chỉnh cho hội thoại trả lời tốt nhất theo định dạng đã dùng khi tinh chỉnh.</translation>
    </message>
    <message>
        <source>No end token</source>
        <translation>Không có token kết thúc</translation>
    </message>
    <message>
        <source>The tokenizer has neither chat template nor end token, so the model never learns to stop.</source>
        <translation>Tokenizer không có mẫu hội thoại lẫn token kết thúc, nên mô hình không bao giờ học được cách dừng.</translation>
    </message>
    <message>
        <source>Answers then go on until the limit of tokens is reached.</source>
        <translation>Khi đó câu trả lời kéo dài cho đến giới hạn token.</translation>
    </message>
    <message>
        <source>Padding is the end</source>
        <translation>Token đệm là token kết thúc</translation>
    </message>
    <message>
        <source>The tokenizer pads with its end token {0}.</source>
        <translation>Tokenizer đệm bằng token kết thúc {0}.</translation>
    </message>
    <message>
        <source>Luthier masks padding by its place, so the end is still learnt; tools that mask it by its id unlearn it.</source>
        <translation>Luthier che phần đệm theo vị trí, nên vẫn học được kết thúc; công cụ che theo mã thì làm mất nó.</translation>
    </message>
    <message>
        <source>Dated template</source>
        <translation>Mẫu có ngày</translation>
    </message>
    <message>
        <source>The chat template writes the day&apos;s date into every row, so data prepared on another day differs.</source>
        <translation>Mẫu hội thoại ghi ngày hôm đó vào mỗi dòng, nên dữ liệu chuẩn bị ngày khác sẽ khác.</translation>
    </message>
    <message>
        <source>Two runs of the same job then do not train on the same tokens.</source>
        <translation>Khi đó hai lượt chạy của cùng công việc không học cùng token.</translation>
    </message>
    <message>
        <source>Unused columns</source>
        <translation>Cột không dùng</translation>
    </message>
    <message>
        <source>Columns that are not read: {0}.</source>
        <translation>Các cột không được đọc: {0}.</translation>
    </message>
    <message>
        <source>What stands in them is not trained on.</source>
        <translation>Nội dung trong đó không được huấn luyện.</translation>
    </message>
    <message>
        <source>The class prompt lacks {0}, so the text whose class is learnt would not be seen. Add it.</source>
        <translation>Prompt của lớp thiếu {0}, nên văn bản có lớp cần học sẽ không được thấy. Hãy thêm vào.</translation>
    </message>
    <message>
        <source>The class prompt says {0}, but no class names are given. Fill in data.label_names.</source>
        <translation>Prompt của lớp có {0}, nhưng chưa có tên lớp. Hãy điền data.label_names.</translation>
    </message>
    <message>
        <source>{0}: the class in {1} is {2}; a word or a number is needed.</source>
        <translation>{0}: lớp trong {1} là {2}; cần một từ hoặc một số.</translation>
    </message>
    <message>
        <source>{0}: the class in {1} is {2}; data.label_names names 0 to {3}. Name more classes or drop the row.</source>
        <translation>{0}: lớp trong {1} là {2}; data.label_names đặt tên từ 0 đến {3}. Hãy đặt thêm tên lớp hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>Needed: instruction and output (alpaca), prompt and completion, messages (a list of role and content), conversations (a list of from and value), text, or text and label. Rename the columns or say which column is which.</source>
        <translation>Cần có: instruction và output (alpaca), prompt và completion, messages (danh sách role và content), conversations (danh sách from và value), text, hoặc text và label. Hãy đổi tên cột hoặc chỉ rõ cột nào là cột nào.</translation>
    </message>
    <message>
        <source>Chosen in the job; the columns are {0}.</source>
        <translation>Được chọn trong công việc; các cột là {0}.</translation>
    </message>
    <message>
        <source>The columns {0} and {1} are there, read as {2} and {3}.</source>
        <translation>Có các cột {0} và {1}, được đọc như {2} và {3}.</translation>
    </message>
    <message>
        <source>The column {0} holds a list of turns.</source>
        <translation>Cột {0} chứa danh sách lượt nói.</translation>
    </message>
    <message>
        <source>The column {0} holds a list of turns named from and value.</source>
        <translation>Cột {0} chứa danh sách lượt nói với tên from và value.</translation>
    </message>
    <message>
        <source>The column {0} holds text, and no column answers it.</source>
        <translation>Cột {0} chứa văn bản, và không cột nào trả lời nó.</translation>
    </message>
    <message>
        <source>The column {0} holds text and {1} its class.</source>
        <translation>Cột {0} chứa văn bản và {1} chứa lớp của nó.</translation>
    </message>
    <message>
        <source>The columns {0} and {1} are there.</source>
        <translation>Có các cột {0} và {1}.</translation>
    </message>
    <message>
        <source>{0}: the column {1} is named in the job but is not there; found {2}.</source>
        <translation>{0}: cột {1} được nêu trong công việc nhưng không có; tìm thấy {2}.</translation>
    </message>
    <message>
        <source>There is no row in the data; choose a file with rows.</source>
        <translation>Dữ liệu không có dòng nào; hãy chọn một tệp có dòng.</translation>
    </message>
    <message>
        <source>{0}: the column {1} is missing; found {2}. Choose another shape, rename it, or say which column it is.</source>
        <translation>{0}: thiếu cột {1}; tìm thấy {2}. Hãy chọn dạng khác, đổi tên, hoặc chỉ rõ đó là cột nào.</translation>
    </message>
    <message>
        <source>Put it in quotes.</source>
        <translation>Hãy đặt trong dấu ngoặc kép.</translation>
    </message>
    <message>
        <source>Fill it in or drop the row.</source>
        <translation>Hãy điền vào hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0}: the column {1} is missing here; other rows have it. Add or drop the row.</source>
        <translation>{0}: ở đây thiếu cột {1}; các dòng khác có. Hãy thêm vào hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0}: the {1}&apos;s text holds half of a character (\u{2}); mend or drop the row.</source>
        <translation>{0}: văn bản của {1} chứa nửa ký tự (\u{2}); hãy sửa hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0}: function {1} is no object with a name. Mend or drop the row.</source>
        <translation>{0}: hàm {1} không phải đối tượng có tên. Hãy sửa hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0} is {1}; a list of functions is needed.</source>
        <translation>{0} là {1}; cần một danh sách hàm.</translation>
    </message>
    <message>
        <source>{0}: a function call is no object with name and arguments. Mend or drop the row.</source>
        <translation>{0}: một lời gọi hàm không phải đối tượng có name và arguments. Hãy sửa hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0} is text that is no JSON; a list of functions is needed.</source>
        <translation>{0} là văn bản không phải JSON; cần một danh sách hàm.</translation>
    </message>
    <message>
        <source>{0}: a function call is text that is no JSON; name and arguments are needed.</source>
        <translation>{0}: một lời gọi hàm là văn bản không phải JSON; cần name và arguments.</translation>
    </message>
    <message>
        <source>{0}: the content is {1}; text is needed.</source>
        <translation>{0}: nội dung là {1}; cần văn bản.</translation>
    </message>
    <message>
        <source>{0}: part {1} of the content is {2}; a language model is trained on text parts only. Take the part out or drop the row.</source>
        <translation>{0}: phần {1} của nội dung là {2}; mô hình ngôn ngữ chỉ học các phần văn bản. Hãy bỏ phần đó hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0}: {1} is {2}; a list of turns with {3} and {4} is needed.</source>
        <translation>{0}: {1} là {2}; cần danh sách lượt nói có {3} và {4}.</translation>
    </message>
    <message>
        <source>{0} has {1}{2}; {3} and {4} are needed. Rename the fields.</source>
        <translation>{0} có {1}{2}; cần {3} và {4}. Hãy đổi tên các trường.</translation>
    </message>
    <message>
        <source>{0} has the role {1}; known are {2}. Rename the role or drop the row.</source>
        <translation>{0} có vai {1}; các vai đã biết là {2}. Hãy đổi tên vai hoặc bỏ dòng.</translation>
    </message>
    <message>
        <source>{0}: &apos;train&apos; is {1}; true or false is needed.</source>
        <translation>{0}: &apos;train&apos; là {1}; cần true hoặc false.</translation>
    </message>
    <message>
        <source>{0}: the weight is {1}; a number from 0 is needed, 0 to leave the turn out.</source>
        <translation>{0}: trọng số là {1}; cần một số từ 0, 0 để loại lượt nói.</translation>
    </message>
    <message>
        <source>{0}: {1} is text that is no JSON; a list of turns is needed.</source>
        <translation>{0}: {1} là văn bản không phải JSON; cần danh sách lượt nói.</translation>
    </message>
    <message>
        <source>{0} started elsewhere on {1} came into the library.</source>
        <translation>{0} khởi chạy từ nơi khác trên {1} đã vào thư viện.</translation>
    </message>
    <message>
        <source>Cancelled; what was sent is kept.</source>
        <translation>Đã hủy; những gì đã gửi được giữ lại.</translation>
    </message>
    <message>
        <source>Line {0}: write a name, a colon, a kind and an address.</source>
        <translation>Dòng {0}: hãy viết tên, dấu hai chấm, loại và địa chỉ.</translation>
    </message>
    <message>
        <source>Line {0}: there is a channel {1} already.</source>
        <translation>Dòng {0}: đã có kênh {1} rồi.</translation>
    </message>
    <message>
        <source>Line {0}: an address has no spaces.</source>
        <translation>Dòng {0}: địa chỉ không có dấu cách.</translation>
    </message>
    <message>
        <source>{0} rows were made in other words{1}.</source>
        <translation>Đã tạo {0} hàng bằng lời khác{1}.</translation>
    </message>
    <message>
        <source>Rows are made of what the job trains on; choose model and data first.</source>
        <translation>Hàng được tạo từ dữ liệu mà công việc huấn luyện; hãy chọn mô hình và dữ liệu trước.</translation>
    </message>
    <message>
        <source>{0} is no lock of an environment: {1}.</source>
        <translation>{0} không phải là danh sách khóa của một môi trường: {1}.</translation>
    </message>
    <message>
        <source>Cancelled; what was fetched is kept.</source>
        <translation>Đã hủy; những gì đã tải được giữ lại.</translation>
    </message>
    <message>
        <source>The comparison was written to {0}.</source>
        <translation>Bản so sánh đã được ghi vào {0}.</translation>
    </message>
    <message>
        <source>The job was written to {0}.</source>
        <translation>Công việc đã được ghi vào {0}.</translation>
    </message>
    <message>
        <source>{0} cannot be read: {1}.</source>
        <translation>Không đọc được {0}: {1}.</translation>
    </message>
    <message>
        <source>{0} is no text.</source>
        <translation>{0} không phải là văn bản.</translation>
    </message>
    <message>
        <source>{0} has {1} already; choose another folder.</source>
        <translation>{0} đã có {1}; hãy chọn thư mục khác.</translation>
    </message>
    <message>
        <source>{0} cannot be written: {1}.</source>
        <translation>Không ghi được {0}: {1}.</translation>
    </message>
    <message>
        <source>Exported to {0}; `bash run.sh` there reruns it.</source>
        <translation>Đã xuất ra {0}; chạy `bash run.sh` ở đó để chạy lại.</translation>
    </message>
    <message>
        <source>{0} The run goes on there; trying again in {1} s.</source>
        <translation>{0} Lượt chạy vẫn tiếp tục ở đó; thử lại sau {1} giây.</translation>
    </message>
    <message>
        <source>{0} names no checkpoint of a run; write RUN_ID/step, for instance r-…/step-100.</source>
        <translation>{0} không chỉ checkpoint nào của một lượt chạy; hãy viết RUN_ID/step, chẳng hạn r-…/step-100.</translation>
    </message>
    <message>
        <source>{0} {1} is not on this computer (any more); choose it again.</source>
        <translation>{0} {1} không (còn) có trên máy này; hãy chọn lại.</translation>
    </message>
    <message>
        <source>{0} was not fetched from the Hub yet; look at the model first.</source>
        <translation>{0} chưa được tải từ Hub; hãy xem xét mô hình trước.</translation>
    </message>
    <message>
        <source>{0} lies on the node, and the node has not been reached yet; choose or probe one.</source>
        <translation>{0} nằm trên máy chạy, mà máy chạy chưa được kết nối; hãy chọn hoặc hỏi một máy.</translation>
    </message>
    <message>
        <source>The rows show as soon as a model is chosen and has been looked at.</source>
        <translation>Các dòng sẽ hiện ra ngay khi mô hình được chọn và đã được xem xét.</translation>
    </message>
    <message>
        <source>The node needs a name.</source>
        <translation>Máy chạy cần có tên.</translation>
    </message>
    <message>
        <source>The run was stopped {0}.</source>
        <translation>Lượt chạy đã dừng {0}.</translation>
    </message>
    <message>
        <source>No node is chosen; losses are taken on one, this computer or another.</source>
        <translation>Chưa chọn máy chạy; loss được tính trên một máy chạy, máy này hoặc máy khác.</translation>
    </message>
    <message>
        <source>Steps that named rows of the other data were taken out.</source>
        <translation>Các bước nêu tên dòng của dữ liệu kia đã được bỏ ra.</translation>
    </message>
    <message>
        <source>There is no report yet; the data has not been looked at.</source>
        <translation>Chưa có báo cáo; dữ liệu chưa được xem xét.</translation>
    </message>
    <message>
        <source>Losses need a model and data; choose both.</source>
        <translation>Tính loss cần mô hình và dữ liệu; hãy chọn cả hai.</translation>
    </message>
    <message>
        <source>{0} is there already; choose another name.</source>
        <translation>Đã có {0}; hãy chọn tên khác.</translation>
    </message>
    <message>
        <source>The node needs a host: a name of your ssh config, a host name or an address.</source>
        <translation>Máy chạy cần một máy chủ: một tên trong cấu hình ssh của bạn, tên máy chủ hoặc địa chỉ.</translation>
    </message>
    <message>
        <source>{0} is no port; ports are 1 to 65535, 0 leaves it to the ssh config.</source>
        <translation>{0} không phải là cổng; cổng từ 1 đến 65535, 0 để cấu hình ssh quyết định.</translation>
    </message>
    <message>
        <source>It lies on the node {0}.</source>
        <translation>Nó nằm trên máy chạy {0}.</translation>
    </message>
    <message>
        <source>Download it from the Hub: hf download {0} --revision {1} --local-dir FOLDER. On the node {2} it lies at {3}.</source>
        <translation>Tải nó từ Hub: hf download {0} --revision {1} --local-dir FOLDER. Trên máy chạy {2} nó nằm ở {3}.</translation>
    </message>
    <message>
        <source>It is the checkpoint {0} of an earlier run on the node {1}.</source>
        <translation>Đó là checkpoint {0} của một lượt chạy trước trên máy chạy {1}.</translation>
    </message>
    <message>
        <source>The link to {0} broke while the run was being started. {1} Whether {2} runs shows as soon as the link is back; nothing starts twice.</source>
        <translation>Kết nối tới {0} bị đứt khi lượt chạy đang được bắt đầu. {1} {2} có đang chạy hay không sẽ rõ ngay khi kết nối trở lại; không có gì bắt đầu hai lần.</translation>
    </message>
    <message>
        <source>Reach {0}</source>
        <translation>Kết nối tới {0}</translation>
    </message>
    <message>
        <source>Check the job against the node</source>
        <translation>Đối chiếu công việc với máy chạy</translation>
    </message>
    <message>
        <source>Prepare the environment</source>
        <translation>Chuẩn bị môi trường</translation>
    </message>
    <message>
        <source>Prepare the data</source>
        <translation>Chuẩn bị dữ liệu</translation>
    </message>
    <message>
        <source>Start the run</source>
        <translation>Bắt đầu lượt chạy</translation>
    </message>
    <message>
        <source>No row is left to train on; look at the findings of the data.</source>
        <translation>Không còn dòng nào để huấn luyện; hãy xem các phát hiện về dữ liệu.</translation>
    </message>
    <message>
        <source>It lay on the computer that launched the run.</source>
        <translation>Nó nằm trên máy đã khởi chạy lượt chạy.</translation>
    </message>
    <message>
        <source>Send the data</source>
        <translation>Gửi dữ liệu</translation>
    </message>
    <message>
        <source>Find the data</source>
        <translation>Tìm dữ liệu</translation>
    </message>
    <message>
        <source>Cancelled; nothing was started.</source>
        <translation>Đã hủy; chưa có gì được bắt đầu.</translation>
    </message>
    <message>
        <source>{0} GiB were freed on the nodes.</source>
        <translation>Đã giải phóng {0} GiB trên các máy chạy.</translation>
    </message>
    <message>
        <source>{0} holds no run: neither a journal of Luthier, nor event files of TensorBoard, nor an offline run of W&amp;B.</source>
        <translation>{0} không chứa lần chạy nào: không có nhật ký của Luthier, không có tệp sự kiện của TensorBoard, cũng không có bản ngoại tuyến của W&amp;B.</translation>
    </message>
    <message>
        <source>{0} cannot be read as a job ({1}).</source>
        <translation>Không đọc được {0} như một công việc ({1}).</translation>
    </message>
    <message>
        <source>This run was imported; how it ended is not told.</source>
        <translation>Lần chạy này được nhập vào; không rõ nó kết thúc thế nào.</translation>
    </message>
    <message>
        <source>The job of {0} cannot be read.</source>
        <translation>Không đọc được công việc của {0}.</translation>
    </message>
    <message>
        <source>The node of this run is not in the list any more; add it first.</source>
        <translation>Máy chạy của lượt này không còn trong danh sách; hãy thêm lại trước.</translation>
    </message>
    <message>
        <source>{0} on {1} lacks {2}. Build an environment there on the Launch page, or name another python in the node&apos;s settings.</source>
        <translation>{0} trên {1} thiếu {2}. Hãy dựng một môi trường ở đó trên trang Khởi chạy, hoặc nêu python khác trong cài đặt của máy.</translation>
    </message>
    <message>
        <source>{0} has no Python with the trainer&apos;s packages. Build an environment there on the Launch page, or name the python of one in the node&apos;s settings.</source>
        <translation>{0} không có Python nào có các gói của trình huấn luyện. Hãy dựng một môi trường ở đó trên trang Khởi chạy, hoặc nêu python của một môi trường trong cài đặt của máy.</translation>
    </message>
    <message>
        <source>{0} is in the library, with {1} steps.</source>
        <translation>{0} đã vào thư viện, với {1} bước.</translation>
    </message>
    <message>
        <source>{0} is here already.</source>
        <translation>{0} đã có ở đây.</translation>
    </message>
    <message>
        <source>{0} has {1}.</source>
        <translation>{0} có {1}.</translation>
    </message>
    <message>
        <source>Its node is not in the list any more.</source>
        <translation>Máy chạy của nó không còn trong danh sách.</translation>
    </message>
    <message>
        <source>Use an index that has it, or make an environment on the node and name its Python.</source>
        <translation>Hãy dùng kho có nó, hoặc tạo một môi trường trên máy và nêu Python của nó.</translation>
    </message>
    <message>
        <source>The package index cannot be asked where the packages are: {0}. Check this computer&apos;s connection, or make an environment on the node and name its Python.</source>
        <translation>Không hỏi được kho gói xem các gói ở đâu: {0}. Hãy kiểm tra kết nối của máy tính này, hoặc tạo một môi trường trên máy và nêu Python của nó.</translation>
    </message>
    <message>
        <source>A launch is under way; the probe can start after it.</source>
        <translation>Đang khởi chạy một lượt; phép đo có thể bắt đầu sau đó.</translation>
    </message>
    <message>
        <source>No node is chosen; choose one on the Launch page.</source>
        <translation>Chưa chọn máy chạy; hãy chọn ở trang Khởi chạy.</translation>
    </message>
    <message>
        <source>No node is chosen; a trace is taken on one, this computer or another.</source>
        <translation>Chưa chọn máy chạy; lần vết được làm trên một máy, máy này hoặc máy khác.</translation>
    </message>
    <message>
        <source>The model is not known yet; choose one.</source>
        <translation>Chưa biết mô hình; hãy chọn một mô hình.</translation>
    </message>
    <message>
        <source>The key {0} cannot be written: {1}.</source>
        <translation>Không ghi được khóa {0}: {1}.</translation>
    </message>
    <message>
        <source>{0} cannot be removed.</source>
        <translation>Không thể gỡ {0}.</translation>
    </message>
    <message>
        <source>It was never started.</source>
        <translation>Nó chưa bao giờ được bắt đầu.</translation>
    </message>
    <message>
        <source>Its folder on the node is gone.</source>
        <translation>Thư mục của nó trên máy chạy không còn nữa.</translation>
    </message>
    <message>
        <source>{0} goes on from step {1}.</source>
        <translation>{0} chạy tiếp từ bước {1}.</translation>
    </message>
    <message>
        <source>The node {0} of this run is not in the list any more; add it first.</source>
        <translation>Máy chạy {0} của lượt chạy này không còn trong danh sách; hãy thêm nó trước.</translation>
    </message>
    <message>
        <source>The run {0} is on {1}, which is not among the nodes any more; add it to follow.</source>
        <translation>Lượt chạy {0} nằm trên {1}, máy này không còn trong danh sách; hãy thêm nó để theo dõi.</translation>
    </message>
    <message>
        <source>A launch is under way; the range test can start after it.</source>
        <translation>Đang khởi chạy một lượt; phép thử khoảng có thể bắt đầu sau đó.</translation>
    </message>
    <message>
        <source>The report was written to {0}.</source>
        <translation>Báo cáo đã được ghi vào {0}.</translation>
    </message>
    <message>
        <source>There is no channel yet; write one line for each.</source>
        <translation>Chưa có kênh nào; hãy viết mỗi kênh một dòng.</translation>
    </message>
    <message>
        <source>No node is chosen; choose one to launch on.</source>
        <translation>Chưa chọn máy chạy; hãy chọn một máy để khởi chạy.</translation>
    </message>
    <message>
        <source>The key cannot be kept: {0}.</source>
        <translation>Không lưu được khóa: {0}.</translation>
    </message>
    <message>
        <source>No terminal was found on this computer; install one, such as xterm.</source>
        <translation>Không tìm thấy terminal trên máy này; hãy cài một cái, chẳng hạn xterm.</translation>
    </message>
    <message>
        <source>{0} is reached by a command of yours; open a terminal there with it.</source>
        <translation>{0} được kết nối bằng lệnh riêng của bạn; hãy dùng lệnh đó để mở terminal.</translation>
    </message>
    <message>
        <source>No terminal was found on this computer.</source>
        <translation>Không tìm thấy terminal trên máy này.</translation>
    </message>
    <message>
        <source>{0} is being told of {1} already.</source>
        <translation>{0} đã đang được báo về {1}.</translation>
    </message>
    <message>
        <source>{0} was not fed: its process ended with code {1}.</source>
        <translation>{0} không được cấp dữ liệu: tiến trình của nó kết thúc với mã {1}.</translation>
    </message>
    <message>
        <source>TensorBoard&apos;s files stay here; leave --online away.</source>
        <translation>Tệp của TensorBoard ở lại đây; hãy bỏ --online.</translation>
    </message>
    <message>
        <source>{0} needs {1}.</source>
        <translation>{0} cần {1}.</translation>
    </message>
    <message>
        <source>{0} cannot be started: {1}.</source>
        <translation>Không khởi động được {0}: {1}.</translation>
    </message>
    <message>
        <source>The model has another tokenizer: {0}.</source>
        <translation>Mô hình có tokenizer khác: {0}.</translation>
    </message>
</context>
<context>
    <name>steps</name>
    <message>
        <source>Leave rows out</source>
        <translation>Loại bớt dòng</translation>
    </message>
    <message>
        <source>Remove duplicates</source>
        <translation>Bỏ dòng trùng</translation>
    </message>
    <message>
        <source>Cut turns</source>
        <translation>Cắt lượt nói</translation>
    </message>
    <message>
        <source>Balance classes</source>
        <translation>Cân bằng lớp</translation>
    </message>
    <message>
        <source>Mend text</source>
        <translation>Sửa văn bản</translation>
    </message>
    <message>
        <source>Rename classes</source>
        <translation>Đổi tên lớp</translation>
    </message>
    <message>
        <source>Replace text</source>
        <translation>Thay văn bản</translation>
    </message>
    <message>
        <source>Augment</source>
        <translation>Tăng cường</translation>
    </message>
    <message>
        <source>changes no row</source>
        <translation>không đổi dòng nào</translation>
    </message>
    <message>
        <source>{} row</source>
        <translation>{} dòng</translation>
    </message>
    <message>
        <source>{} rows</source>
        <translation>{} dòng</translation>
    </message>
    <message>
        <source>word for word</source>
        <translation>giống từng chữ</translation>
    </message>
    <message>
        <source>changes {} row</source>
        <translation>thay đổi {} dòng</translation>
    </message>
    <message>
        <source>changes {} rows</source>
        <translation>thay đổi {} dòng</translation>
    </message>
    <message>
        <source>leaves out {} row</source>
        <translation>loại {} dòng</translation>
    </message>
    <message>
        <source>leaves out {} rows</source>
        <translation>loại {} dòng</translation>
    </message>
    <message>
        <source>adds {} row</source>
        <translation>thêm {} dòng</translation>
    </message>
    <message>
        <source>adds {} rows</source>
        <translation>thêm {} dòng</translation>
    </message>
    <message>
        <source>from {} alike</source>
        <translation>giống từ {}</translation>
    </message>
    <message>
        <source>to {} tokens</source>
        <translation>còn {} token</translation>
    </message>
</context>
<context>
    <name>words</name>
    <message>
        <source>System</source>
        <translation>Hệ thống</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Người dùng</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>Trợ lý</translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>Công cụ</translation>
    </message>
    <message>
        <source>train</source>
        <translation>huấn luyện</translation>
    </message>
    <message>
        <source>held out</source>
        <translation>giữ lại</translation>
    </message>
    <message>
        <source>Error</source>
        <translation>Lỗi</translation>
    </message>
    <message>
        <source>Warning</source>
        <translation>Cảnh báo</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Ghi chú</translation>
    </message>
    <message>
        <source>Trying again now.</source>
        <translation>Đang thử lại.</translation>
    </message>
    <message>
        <source>GPU {number}: {name} of {user}, {size}</source>
        <translation>GPU {number}: {name} của {user}, {size}</translation>
    </message>
    <message>
        <source>FlashAttention 2 is not there: {why}; PyTorch&apos;s own attention serves</source>
        <translation>Không có FlashAttention 2: {why}; dùng attention của PyTorch</translation>
    </message>
    <message>
        <source>driver {driver}, CUDA {cuda}</source>
        <translation>driver {driver}, CUDA {cuda}</translation>
    </message>
    <message>
        <source>outlives a stop</source>
        <translation>còn lại sau khi dừng máy</translation>
    </message>
    <message>
        <source>gone after a stop</source>
        <translation>mất khi dừng máy</translation>
    </message>
    <message>
        <source>FlashAttention 2 by a kernel of the Hub that lies there</source>
        <translation>FlashAttention 2 bằng nhân của Hub đã có ở đó</translation>
    </message>
    <message>
        <source>the Hub</source>
        <translation>Hub</translation>
    </message>
    <message>
        <source>the package index</source>
        <translation>kho gói</translation>
    </message>
    <message>
        <source>reaches {name}</source>
        <translation>kết nối được {name}</translation>
    </message>
    <message>
        <source>does not reach {name}: {why}</source>
        <translation>không kết nối được {name}: {why}</translation>
    </message>
    <message>
        <source>{mount}: {size} free</source>
        <translation>{mount}: còn trống {size}</translation>
    </message>
    <message>
        <source>{} model in the Hub&apos;s cache</source>
        <translation>{} mô hình trong bộ đệm của Hub</translation>
    </message>
    <message>
        <source>{} models in the Hub&apos;s cache</source>
        <translation>{} mô hình trong bộ đệm của Hub</translation>
    </message>
    <message>
        <source>FlashAttention 2 by its package, version {version}</source>
        <translation>FlashAttention 2 bằng gói của nó, phiên bản {version}</translation>
    </message>
    <message>
        <source>GPU pairs joined by {kinds}</source>
        <translation>Các cặp GPU nối bằng {kinds}</translation>
    </message>
    <message>
        <source>shared memory {size}</source>
        <translation>bộ nhớ dùng chung {size}</translation>
    </message>
    <message>
        <source>The link to {node} is down since {down} s; the run goes on there.</source>
        <translation>Mất kết nối tới {node} đã {down} giây; lượt chạy vẫn tiếp tục ở đó.</translation>
    </message>
    <message>
        <source>{node} has not answered for {down} s; the run goes on there.</source>
        <translation>{node} chưa trả lời đã {down} giây; lượt chạy vẫn tiếp tục ở đó.</translation>
    </message>
    <message>
        <source>The link to {node} needs you; the run goes on there. {reason}</source>
        <translation>Kết nối tới {node} cần bạn; lượt chạy vẫn tiếp tục ở đó. {reason}</translation>
    </message>
    <message>
        <source>Trying again in {wait} s.</source>
        <translation>Thử lại sau {wait} giây.</translation>
    </message>
    <message>
        <source>{done} of {total} {unit}</source>
        <translation>{done} / {total} {unit}</translation>
    </message>
    <message>
        <source>{loss} at {step}</source>
        <translation>{loss} ở bước {step}</translation>
    </message>
    <message>
        <source>Preparing the environment</source>
        <translation>Đang chuẩn bị môi trường</translation>
    </message>
    <message>
        <source>Preparing the data</source>
        <translation>Đang chuẩn bị dữ liệu</translation>
    </message>
    <message>
        <source>Loading the model</source>
        <translation>Đang nạp mô hình</translation>
    </message>
    <message>
        <source>Taking the held-out loss</source>
        <translation>Đang tính loss trên tập giữ lại</translation>
    </message>
    <message>
        <source>Answering the sample prompts</source>
        <translation>Đang trả lời các prompt mẫu</translation>
    </message>
    <message>
        <source>{done} of {total}</source>
        <translation>{done} / {total}</translation>
    </message>
    <message>
        <source>{free} free  ·  {kind} at {mount}  ·  {lasts}</source>
        <translation>còn trống {free}  ·  {kind} tại {mount}  ·  {lasts}</translation>
    </message>
    <message>
        <source>its disk is not there</source>
        <translation>đĩa của nó không có ở đó</translation>
    </message>
    <message>
        <source>gone when the box stops</source>
        <translation>mất khi máy dừng</translation>
    </message>
    <message>
        <source>{free} free</source>
        <translation>còn trống {free}</translation>
    </message>
    <message>
        <source>not asked yet</source>
        <translation>chưa hỏi</translation>
    </message>
    <message>
        <source>being asked</source>
        <translation>đang hỏi</translation>
    </message>
    <message>
        <source>ready</source>
        <translation>sẵn sàng</translation>
    </message>
    <message>
        <source>cannot be reached</source>
        <translation>không kết nối được</translation>
    </message>
    <message>
        <source>needs you</source>
        <translation>cần bạn</translation>
    </message>
    <message>
        <source>one core, {memory}, no GPU</source>
        <translation>một lõi, {memory}, không có GPU</translation>
    </message>
    <message>
        <source>{cores} cores, {memory}, no GPU</source>
        <translation>{cores} lõi, {memory}, không có GPU</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>máy này</translation>
    </message>
    <message>
        <source>{rate}, MFU {share}</source>
        <translation>{rate}, MFU {share}</translation>
    </message>
    <message>
        <source>{} TFLOP/s a GPU</source>
        <translation>{} TFLOP/s mỗi GPU</translation>
    </message>
    <message>
        <source>{} TFLOP/s a process</source>
        <translation>{} TFLOP/s mỗi tiến trình</translation>
    </message>
    <message>
        <source>looking…</source>
        <translation>đang xem…</translation>
    </message>
    <message>
        <source>no answer</source>
        <translation>không trả lời</translation>
    </message>
    <message>
        <source>asks you</source>
        <translation>chờ bạn</translation>
    </message>
    <message>
        <source>{} core</source>
        <translation>{} lõi</translation>
    </message>
    <message>
        <source>{} cores</source>
        <translation>{} lõi</translation>
    </message>
    <message>
        <source>AdamW, 8 bits</source>
        <translation>AdamW, 8 bit</translation>
    </message>
    <message>
        <source>Cosine</source>
        <translation>Cosine</translation>
    </message>
    <message>
        <source>Linear</source>
        <translation>Tuyến tính</translation>
    </message>
    <message>
        <source>Constant</source>
        <translation>Hằng số</translation>
    </message>
    <message>
        <source>Cosine, restarts</source>
        <translation>Cosine, khởi động lại</translation>
    </message>
    <message>
        <source>Polynomial</source>
        <translation>Đa thức</translation>
    </message>
    <message>
        <source>Inverse root</source>
        <translation>Nghịch đảo căn</translation>
    </message>
    <message>
        <source>Stable, decay</source>
        <translation>Ổn định rồi giảm</translation>
    </message>
    <message>
        <source>One cycle</source>
        <translation>Một chu kỳ</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Các bước</translation>
    </message>
    <message>
        <source>Steps by hand</source>
        <translation>Bậc đặt tay</translation>
    </message>
    <message>
        <source>Drawn by hand</source>
        <translation>Vẽ tay</translation>
    </message>
    <message>
        <source>Range test</source>
        <translation>Thử khoảng</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Đi tiếp</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Dừng</translation>
    </message>
    <message>
        <source>Go back, leave out the rows</source>
        <translation>Quay lại, bỏ các dòng</translation>
    </message>
    <message>
        <source>Go back, lower the rate</source>
        <translation>Quay lại, giảm tốc độ học</translation>
    </message>
    <message>
        <source>1 − square root</source>
        <translation>1 − căn bậc hai</translation>
    </message>
    <message>
        <source>steps</source>
        <translation>bước</translation>
    </message>
    <message>
        <source>epochs</source>
        <translation>epoch</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Không có</translation>
    </message>
    <message>
        <source>Moving average</source>
        <translation>Trung bình động</translation>
    </message>
    <message>
        <source>Mean of the end</source>
        <translation>Trung bình đoạn cuối</translation>
    </message>
    <message>
        <source>Lean</source>
        <translation>Tiết kiệm</translation>
    </message>
    <message>
        <source>Plain</source>
        <translation>Thường</translation>
    </message>
    <message>
        <source>Eager</source>
        <translation>Eager</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>Tự động</translation>
    </message>
    <message>
        <source>Prompt and completion</source>
        <translation>Prompt và câu trả lời</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Hội thoại</translation>
    </message>
    <message>
        <source>Plain text</source>
        <translation>Văn bản thuần</translation>
    </message>
    <message>
        <source>Text and class</source>
        <translation>Văn bản và lớp</translation>
    </message>
    <message>
        <source>Cut at the end</source>
        <translation>Cắt ở cuối</translation>
    </message>
    <message>
        <source>Drop the row</source>
        <translation>Bỏ dòng</translation>
    </message>
    <message>
        <source>Split the row</source>
        <translation>Chia dòng</translation>
    </message>
    <message>
        <source>Any rows</source>
        <translation>Dòng bất kỳ</translation>
    </message>
    <message>
        <source>By class</source>
        <translation>Theo lớp</translation>
    </message>
    <message>
        <source>By group</source>
        <translation>Theo nhóm</translation>
    </message>
    <message>
        <source>Everybody</source>
        <translation>Mọi người</translation>
    </message>
    <message>
        <source>Last turn</source>
        <translation>Lượt cuối</translation>
    </message>
    <message>
        <source>Every token</source>
        <translation>Mọi token</translation>
    </message>
    <message>
        <source>The start</source>
        <translation>Phần đầu</translation>
    </message>
    <message>
        <source>The end</source>
        <translation>Phần cuối</translation>
    </message>
    <message>
        <source>Down</source>
        <translation>Giảm</translation>
    </message>
    <message>
        <source>Up</source>
        <translation>Tăng</translation>
    </message>
    <message>
        <source>Paraphrase</source>
        <translation>Diễn đạt lại</translation>
    </message>
    <message>
        <source>Back-translation</source>
        <translation>Dịch vòng</translation>
    </message>
    <message>
        <source>Endpoint</source>
        <translation>Endpoint</translation>
    </message>
    <message>
        <source>This computer</source>
        <translation>Máy này</translation>
    </message>
    <message>
        <source>The node</source>
        <translation>Máy chạy</translation>
    </message>
    <message>
        <source>Hub</source>
        <translation>Hub</translation>
    </message>
    <message>
        <source>A run</source>
        <translation>Một lượt chạy</translation>
    </message>
    <message>
        <source>Queued</source>
        <translation>Đang xếp hàng</translation>
    </message>
    <message>
        <source>Preparing</source>
        <translation>Đang chuẩn bị</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Đang bắt đầu</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Đang chạy</translation>
    </message>
    <message>
        <source>Pausing</source>
        <translation>Đang tạm dừng</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Tạm dừng</translation>
    </message>
    <message>
        <source>Stopping</source>
        <translation>Đang dừng</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Đã dừng</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Hoàn tất</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Thất bại</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>Bị gián đoạn</translation>
    </message>
    <message>
        <source>{} bytes</source>
        <translation>{} byte</translation>
    </message>
    <message>
        <source>d</source>
        <translation>ngày</translation>
    </message>
    <message>
        <source>h</source>
        <translation>giờ</translation>
    </message>
    <message>
        <source>min</source>
        <translation>phút</translation>
    </message>
    <message>
        <source>s</source>
        <translation>giây</translation>
    </message>
    <message>
        <source>{} tokens/s</source>
        <translation>{} token/s</translation>
    </message>
</context>
</TS>
